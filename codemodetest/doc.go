// Package codemodetest tests programs, and the tools that they call, without a model and
// without what the tools stand for.
//
//	func TestTheReportLeavesOutEmptyOrders(t *testing.T) {
//		runner := codemodetest.New(t, codemodetest.Options{
//			Registry: shop.Tools(), // as the application registers them
//			Fakes: codemodetest.Fakes{
//				"orders.list": codemodetest.Value([]any{map[string]any{"id": 1, "total": 0}}),
//				"orders.mail": codemodetest.Fails(registry.KindDenied, "not today"),
//			},
//		})
//		result := runner.Run("[o['id'] for o in tools.orders.list(customer='ada') if o['total']]")
//		result.Want([]any{})
//		result.Calls(codemodetest.Call{Tool: "orders.list", Args: map[string]any{"customer": "ada"}})
//	}
//
// The program runs in the real CPython and the arguments of its calls are checked against
// the real schemas; only the functions behind the tools are others. A call of a tool that
// has no fake fails, unless Options.Real says otherwise. Without a Registry, there is a
// tool for each fake, which takes any arguments by name.
//
// # Record and replay
//
// With Options.Recording, the calls of the test's programs are kept in a file, and
// answered from it: with Record set, the real tools (or fakes) run and the file is
// written, without it nothing runs. A call that the recording does not have, and one in it
// that is not made, fail the test. The same calls give the same bytes, so the file belongs
// under version control.
//
//	var record = flag.Bool("record", false, "call the real tools, and keep what they give")
//
//	codemodetest.Options{Registry: tools, Recording: "testdata/report.json", Record: *record}
//
// A recording holds the arguments and results of the tools in clear text: look at it before
// it is published.
//
// # What is needed
//
// Linux, and a CPython as codemode.New has it: blank-import sidecar/embeddedpython, or have
// python3 in PATH. On other systems New skips the test.
//
// The programs of a test are the developer's own. So that they run on any machine, and no
// decision about isolation stands in the way, the executor is started with
// config.RequireUnsafeNone: it uses the layers that the machine has, and goes on without
// those it has not. Never give such an executor programs of a model.
package codemodetest
