// Package codemode lets a model call Go functions by writing Python.
//
// In place of a hundred tools, the model is given one function, whose argument is a
// program. The program calls the tools, loops over and filters what they give, and
// returns one small answer. It runs in real CPython in a sandbox without network, files
// or secrets; each tool call comes back to this process, to a Go function, typed and
// cancellable.
//
//	reg := registry.New()
//	registry.Func(reg, "weather", "Looks up the weather of a city.",
//		func(ctx context.Context, in struct{ City string `json:"city"` }) (Weather, error) {
//			return lookUp(ctx, in.City)
//		})
//	cm, err := codemode.New(codemode.Options{Registry: reg})
//	if err != nil {
//		return err
//	}
//	defer cm.Close()
//	result, err := cm.Execute(ctx, `max(["Oslo", "Rome"], key=lambda c: tools.weather(city=c)["celsius"])`)
//
// The executor that runs the programs is started inside this process, which needs Linux
// and a CPython: blank-import sidecar/embeddedpython to link one into the binary, or have
// a python3 of 3.10 or newer in PATH. In production it is a process or a container of its
// own (codemode serve), and [FromConfig], [FromEnv] or [FromClientConfig] say where.
//
// # Giving it to a model
//
// [Codemode.Tool] is the function tool in nobody's terms: a name, a description with a
// Python stub for each registered tool, a JSON Schema, and [Codemode.Call], which takes
// the arguments in any shape that models send and gives the text to send back. That text
// is never empty and always bounded, and where the program failed it holds the traceback,
// so the model can do better. [Codemode.Dispatch] answers all calls of a message. Packages
// adapters/openai and adapters/langchain put both into the terms of go-openai and
// langchaingo; package codemodetest tests programs without a model.
//
// # Tools
//
// Tools live in a [registry.Registry]: registry.Func takes a Go function and derives the
// schemas from its types, Registry.Add a handler with a schema of its own. Dots in a name
// make namespaces. In a program:
//
//	tools.weather(city="Oslo")                     # by attribute
//	tools.github.get_issue("octo", "hello", 1)     # a namespace; positional arguments
//	tools["weather"].run(city="Oslo")              # by name, whatever the name
//	await asyncio.gather(*[tools.weather.arun(city=c) for c in cities])   # in parallel, in Go too
//	help(tools.weather)                            # prints the stub
//
// There are other ways in, each of them one line, and all end in the same Registry:
//
//	registry.Func, registry.Stream    typed functions; those that give rows
//	registry.AddMethods               every method of a struct, with its doc comments
//	registry.AddAgent                 an agent, called as agents.name(...)
//	registry.Provide, AutoDiscover    the tools of imported packages
//	Registry.Add                      a handler with a schema of its own
//	Registry.Attach                   the servers of adapters/mcp, the documents of adapters/openapi
//
// [Codemode.Tools] offers some of them to the model as functions of their own (Policy.Direct,
// [Options.SearchTool]); docs/description.md says what the model is shown of the others.
// A registry.Policy bounds a tool, [Options.Approve] decides about those that need a
// person's approval, and [Options.Middleware] wraps every call.
//
// Arguments are checked against the schema before the function runs. A tool that fails
// raises ToolError in the program, which can catch it. The function's context is that of
// Execute: it ends with the caller's, with the run's time, and when the program is over.
//
// registry.Stream takes a function that gives rows one after another, an iter.Seq2, and a
// program gets an iterator: for row in tools.db.rows(sql="..."). The function runs no
// further ahead than a window, and ends when the program stops reading.
//
// Values arrive as they left, both ways: ints of any size, NaN, bytes, datetimes,
// Decimals, None, sets, dictionaries with any keys. What cannot travel is a TypeError
// that says where in the value it is.
//
// # Results
//
// A [Result] has the value of the program's last expression (or of its top-level return,
// or of its variable result), what it printed, and the record of every tool call, also
// where the run failed. [Result.Decode] stores the value in a Go variable. The value does
// not travel on standard output, so nothing that is printed can be mistaken for it.
// [Options.OnEvent] sees output and calls while they happen.
//
// # Limits
//
// Every run has limits on its time (tool time included), memory, processor time, output,
// result, threads, files and tool calls; docs/configuration.md has them all with their
// defaults. The kernel enforces them or the executor measures them; the program has no
// part in it. [Request.Limits] lowers some for one run. A run that hits one ends with a
// status of its own, such as [StatusTimeout], within moments.
//
// # The security boundary
//
// The program is untrusted; the boundary is its process, not the Python language. Each
// run gets a fresh process that is confined before it sees the code and is destroyed
// afterwards with everything it started: namespaces, Landlock, a seccomp filter, and
// resource limits, as the kernel grants them. The executor does not start where the
// required layers are not to be had; [Result.Sandbox] and [Codemode.Layers] name those
// in force. Nothing of this process is inherited: no environment, no descriptors, no keys.
//
// What a program can do is call the tools, with any arguments that fit their schemas, as
// often as the limits allow. A tool must not trust its caller more than the model behind
// it, and should hold no secrets in its errors, which the model reads.
//
// # Errors
//
// A program that fails is a Result with its [Status] and no error. An error of Execute
// means that there is no outcome to report, and is an [*Error] with a code:
//
//	result, err := cm.Execute(ctx, code)
//	switch codemode.CodeOf(err) {
//	case "":                        // result.Status tells how the program ended
//	case codemode.CodeCancelled:    // ctx ended
//	case codemode.CodeRejected:     // not started: too long, or the executor is full
//	case codemode.CodeUnavailable:  // the executor was not reached, or lost
//	}
//
// [Error.Started] tells whether the program may have begun, so that running it again
// could repeat what its tools did. The Result is there even then, with the calls made.
package codemode
