// Package registry holds the tools that a program may call: Go functions with a name, a
// description and a schema for what they take and give.
//
//	reg := registry.New()
//	registry.Func(reg, "weather", "Looks up the weather of a city.",
//		func(ctx context.Context, in WeatherQuery) (Weather, error) {
//			return lookUp(ctx, in.City, in.Days)
//		})
//
// # Typed tools
//
// [Func] derives both schemas from the Go types, field tags included. The function gets
// its arguments decoded and its result is encoded by the rules of encoding/json, except
// that values stay exact: a *big.Int takes an int of a hundred digits, a []byte bytes, a
// time.Time a datetime with its offset, a time.Duration a timedelta, a map[int]T a dict
// with int keys, a float64 NaN. A field of type any gets what the program sent, in the
// types that [Args.Map] lists. A nil slice or map in a result arrives as an empty list or
// dict, a nil pointer as None, and the stub says which of them can be.
//
// # Raw tools
//
// A [Tool] with a schema of its own, such as one from an MCP server, is added with
// [Registry.Add]. Its Handler reads the [Args] as exact values, as plain JSON values, as
// JSON text or into a Go type of its choice, and returns any Go value. A Tool without a
// Handler is described to the model but cannot be called.
//
// # Streaming tools
//
// [Stream] takes a function that gives an iterator, and a program gets one: for row in
// tools.db.rows(sql=...), or async for over tools.db.rows.arun(...). Rows travel in
// batches, and the Go iterator waits when it is a window of bytes ahead of the program.
// When the program reads no further, yield returns false and the context ends. A raw tool
// streams where Tool.Streaming is set. Policies hold for streaming tools too; they say
// what they mean there.
//
// # Methods, packages, sources
//
// [AddMethods] makes a tool of every exported method of a value, described by its doc
// comments where the source is at hand. A package that others import for its tools calls
// [Provide] in its init function, and [Registry.Discover] registers what such packages
// provide. A [Source] brings tools that come and go, such as those of an MCP server
// (adapters/mcp) or of an OpenAPI document (adapters/openapi): [Registry.Attach] adds it,
// [Registry.Start] and [Registry.Close] start and end it.
//
// # Agents
//
// [AddAgent] registers anything with a method Run(ctx, input) (output, error). A program
// calls the agent "writer" as agents.writer(...).
//
// # Policies, approvals, middleware
//
// A [Policy] says what a tool does and how it may be called: time, retries, calls in a
// run, calls at once, size of the result, whether a person must approve, whether the model
// may call it without a program (Direct) or is not told of it (Hidden).
// [Registry.SetPolicies] has the last word about all of them. [RunOptions], which are
// fields of codemode.Options too, hold the application's part in every call: Approve
// allows a call, denies it with a reason or changes its arguments, and Middleware wraps it.
// A tool tells how far it has come with [ReportProgress].
//
// # Names
//
// A dot separates namespaces: "github.get_issue" is tools.github.get_issue in a program.
// What is no Python identifier gets the spelling of schema.PythonName; two tools that
// would share one are an error, as are two of the same name, and both say where the first
// was registered. An error of Func or Add that is not looked at is not lost: it is kept
// in [Registry.Err], and a Codemode is not made from a Registry with an error.
//
// # Calls
//
// [Registry.Call] checks the arguments against the schema before the function runs, which
// therefore never sees invalid ones. The function gets the context of the execution; when
// that ends, it is the function's part to return, and the call lasts until it does. Its
// error, or panic, becomes a [ToolError], which the program can catch. What the error
// says is shown to the model: it should hold no secrets. A function that returns a
// *ToolError picks its Kind:
//
//	return nil, &registry.ToolError{Kind: registry.KindDenied, Message: "read-only mode"}
//
// A Registry and everything from it may be used by many goroutines at once, and calls run
// concurrently when the program makes them so.
package registry
