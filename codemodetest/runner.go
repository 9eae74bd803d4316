package codemodetest

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/registry"
)

// Options say what the programs of a test can call.
type Options struct {
	// Registry holds the tools. Its sources are started, and closed with the test. If nil,
	// there is a tool for each of Fakes.
	Registry *registry.Registry
	// Fakes are run in place of the tools' own functions, by the tools' names, and need no
	// approval. One whose name is not in Registry fails the test.
	Fakes Fakes
	// Real has tools without a fake run their own functions.
	Real bool
	// Recording is a file that the calls are answered from, or written to; see the
	// package's comment. If empty, there is none.
	Recording string
	// Record writes Recording when the test has passed, with its directory if need be.
	// Tools without a fake then run their own functions, as with Real.
	Record bool
	// Middleware is the application's, around the fakes.
	Middleware []func(next registry.Handler) registry.Handler
	// Approve decides about the calls of real tools that require it. If nil, those are
	// denied.
	Approve func(context.Context, registry.ApprovalRequest) (registry.Decision, error)
	// Config changes what executor and programs get, in place of config.Default. Its
	// executor must be the embedded one, and its requirement for the sandbox is replaced.
	Config *config.Config
}

// A Runner runs the programs of one test. Its methods end the test where it cannot go on,
// and are to be called from the test's goroutine.
type Runner struct {
	t    testing.TB
	cm   *codemode.Codemode
	tape *tape // nil without a recording
}

// New starts an executor for a test, which ends with it. It ends the test if it cannot.
func New(t testing.TB, options Options) *Runner {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("codemodetest: programs run on Linux only")
	}
	r := &Runner{t: t}
	reg, err := fakeRegistry(&options)
	if err != nil {
		t.Fatalf("codemodetest: %v", err)
	}
	cfg := config.Default()
	cfg.Executor.Pool.MinReady = 1 // a test runs one program at a time
	if options.Config != nil {
		copied := *options.Config
		cfg = &copied
	}
	cfg.Executor.Sandbox = config.Sandbox{Require: config.RequireUnsafeNone}
	var middleware []func(registry.Handler) registry.Handler
	if options.Recording != "" {
		if r.tape, err = openTape(options.Recording, options.Record); err != nil {
			t.Fatalf("codemodetest: %v", err)
		}
		middleware = append(middleware, r.tape.middleware(t))
	}
	middleware = append(middleware, options.Middleware...)
	middleware = append(middleware, options.Fakes.middleware(options.Real || options.Record))
	r.cm, err = codemode.New(codemode.Options{
		Registry: reg, Config: cfg, Middleware: middleware, Approve: options.Approve,
	})
	if err != nil {
		t.Fatalf("codemodetest: %v", err)
	}
	for _, name := range slices.Sorted(maps.Keys(options.Fakes)) { // those of sources are there now
		if _, ok := reg.Lookup(name); !ok {
			t.Errorf("codemodetest: there is a fake for the tool %q, which is not in the registry", name)
		}
	}
	t.Cleanup(func() {
		if err := r.cm.Close(); err != nil {
			t.Errorf("codemodetest: %v", err)
		}
		if r.tape != nil {
			r.tape.end(t)
		}
	})
	return r
}

// fakeRegistry gives the registry, with the fakes in it if there was none.
func fakeRegistry(options *Options) (*registry.Registry, error) {
	names := slices.Sorted(maps.Keys(options.Fakes))
	if given := options.Registry; given != nil {
		err := given.Err()
		return given, err
	}
	reg := registry.New()
	for _, name := range names {
		if err := reg.Add(registry.Tool{
			Name: name, InputSchema: json.RawMessage(`{"type":"object","additionalProperties":true}`), Origin: "a fake of the test",
			Handler: options.Fakes[name].Handler, Streaming: options.Fakes[name].streaming,
		}); err != nil {
			return nil, err
		}
	}
	return reg, nil
}

// Codemode is what the programs run on, for tests of an agent's loop.
func (r *Runner) Codemode() *codemode.Codemode { return r.cm }

// Run runs a program and waits for its end. It ends the test if there is no outcome; a
// program that fails is a Result.
func (r *Runner) Run(code string) *Result {
	r.t.Helper()
	result, err := r.cm.Execute(r.t.Context(), code)
	if err != nil {
		r.t.Fatalf("codemodetest: the program has no outcome: %v", err)
	}
	if r.tape != nil {
		r.tape.order(result)
	}
	return &Result{Result: result, t: r.t}
}

// A Fake stands in for a tool's function.
type Fake struct {
	// Handler gets arguments that have passed the tool's schema.
	Handler   registry.Handler
	streaming bool
}

// Fakes are by the tools' names.
type Fakes map[string]Fake

// Value gives the same value for every call.
func Value(v any) Fake {
	return Fake{Handler: func(context.Context, registry.Args) (any, error) { return v, nil }}
}

// Fails fails every call with a ToolError; kind is one of the registry's, such as
// registry.KindDenied.
func Fails(kind, message string) Fake {
	return Fake{Handler: func(context.Context, registry.Args) (any, error) {
		return nil, &registry.ToolError{Kind: kind, Message: message}
	}}
}

// Func answers calls with a function.
func Func(fn func(args map[string]any) (any, error)) Fake {
	return Fake{Handler: func(_ context.Context, args registry.Args) (any, error) { return fn(args.Map()) }}
}

// Rows stands in for a streaming tool, and gives the same rows for every call.
func Rows(rows ...any) Fake {
	return Fake{streaming: true, Handler: func(context.Context, registry.Args) (any, error) { return rowsOf(rows, nil), nil }}
}

// middleware runs the fakes in place of tools; it is the innermost.
func (f Fakes) middleware(others bool) func(registry.Handler) registry.Handler {
	return func(next registry.Handler) registry.Handler {
		return func(ctx context.Context, args registry.Args) (any, error) {
			entry := registry.EntryFromContext(ctx)
			if fake, ok := f[entry.Name()]; ok && fake.Handler != nil {
				return fake.Handler(ctx, args)
			}
			if others {
				return next(ctx, args)
			}
			return nil, &registry.ToolError{Kind: registry.KindUnavailable, Message: fmt.Sprintf(
				"the test has no fake for %s (it has %s)", entry.Name(), strings.Join(slices.Sorted(maps.Keys(f)), ", "))}
		}
	}
}
