package registry

import (
	"context"
	"encoding"
	"encoding/json"
	"reflect"

	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/schema"
)

// Func registers a Go function. In is a struct or a pointer to one, whose fields are the
// tool's parameters in their order; struct{} for a tool without arguments; or
// map[string]any for one that takes any. Out is any type that encoding/json writes. Where
// Out is or holds a pointer, the stub says that it may be None; a nil slice or map is sent
// as an empty one, so that a program can loop over it.
// It fails as Registry.Add does, and where In or Out is a type that no program can send
// or receive. If fn is nil, the tool is described but calling it fails with
// KindUnavailable. At most one Policy may be given.
func Func[In, Out any](r *Registry, name, description string, fn func(context.Context, In) (Out, error), policy ...Policy) error {
	var handler Handler
	if fn != nil {
		handler = typedHandler(fn)
	}
	return r.registerTyped(&Entry{name: name, description: description, handler: handler}, reflect.TypeFor[In](), reflect.TypeFor[Out](), policy)
}

func (r *Registry) registerTyped(e *Entry, in, out reflect.Type, policy []Policy) error {
	var policyErr error
	e.given, policyErr = onePolicy(policy)
	e.origin = origin()
	return r.register(e, func() (_, _ *schema.Schema, err error) {
		if policyErr != nil {
			return nil, nil, policyErr
		}
		return typedSchemas(in, out)
	})
}

func typedHandler[In, Out any](fn func(context.Context, In) (Out, error)) Handler {
	return func(ctx context.Context, args Args) (any, error) {
		var in In
		if err := args.Decode(&in); err != nil {
			return nil, err
		}
		return fn(ctx, in)
	}
}

func typedSchemas(inType, outType reflect.Type, docs ...schema.Docs) (in, out *schema.Schema, err error) {
	if !holdsArguments(inType) {
		return nil, nil, fault.New(fault.Invalid, "its argument type is %s", inType).
			WithRemedy("take a struct with one field per parameter, struct{} for none, or map[string]any")
	}
	if inType.Kind() == reflect.Pointer {
		inType = inType.Elem()
	}
	if in, err = schema.For(inType, docs...); err != nil {
		return nil, nil, fault.Wrap(fault.Invalid, err, "the schema of its arguments")
	}
	if out, err = schema.ForResult(outType, docs...); err != nil {
		return nil, nil, fault.Wrap(fault.Invalid, err, "the schema of its result")
	}
	return in, out, nil
}

// holdsArguments reports whether t takes arguments by name. A struct that decodes itself,
// such as time.Time, does not say what its names are.
func holdsArguments(t reflect.Type) bool {
	if t == reflect.TypeFor[map[string]any]() {
		return true
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	pointer := reflect.PointerTo(t)
	return t.Kind() == reflect.Struct &&
		!pointer.Implements(reflect.TypeFor[json.Unmarshaler]()) &&
		!pointer.Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}
