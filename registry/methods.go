package registry

import (
	"cmp"
	"context"
	"errors"
	"reflect"
	"strings"
	"unicode"

	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/schema"
)

// Methods say how AddMethods registers. The zero value is fit for most.
type Methods struct {
	// Namespace is where the tools go. If empty, the type's name in snake case: weather_api
	// for a WeatherAPI.
	Namespace string
	// Descriptions are by the methods' Go names. A method that is not there has none.
	Descriptions map[string]string
	// Policies are by the methods' Go names.
	Policies map[string]Policy
	// SkipUnusable leaves methods out whose signature cannot be a tool's. If false, one is
	// an error.
	SkipUnusable bool
}

// AddMethods registers every exported method of a value, usually a pointer to a struct:
// ForecastFor of a *WeatherAPI becomes weather_api.forecast_for. A method takes a
// context.Context or none, then what Func's In may be or nothing, and gives a value, an
// error, both or neither. It fails with fault.Invalid, naming each method that cannot be
// registered and why; Err keeps that as well. The others are registered all the same.
func AddMethods(r *Registry, receiver any, options Methods) error {
	place, v := origin(), reflect.ValueOf(receiver)
	refuse := func(format string, args ...any) error {
		return r.keep(fault.Wrap(fault.Invalid, fault.New(fault.Invalid, format, args...), "cannot register the methods of a %T at %s", receiver, place))
	}
	if !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		return refuse("it is nil")
	}
	t := v.Type()
	named := t
	if named.Kind() == reflect.Pointer {
		named = named.Elem()
	}
	namespace := cmp.Or(options.Namespace, snake(named.Name()))
	if namespace == "" {
		return refuse("its type has no name for a namespace: set Methods.Namespace")
	}
	var errs []error
	for name := range options.Descriptions {
		if _, ok := t.MethodByName(name); !ok {
			errs = append(errs, refuse("there is no method %s to describe", name))
		}
	}
	for name := range options.Policies {
		if _, ok := t.MethodByName(name); !ok {
			errs = append(errs, refuse("there is no method %s for a policy", name))
		}
	}
	usable := 0
	for i := range t.NumMethod() {
		name := t.Method(i).Name
		m, err := methodOf(v.Method(i))
		if err != nil {
			if !options.SkipUnusable {
				errs = append(errs, refuse("the method %s: %v", name, err))
			}
			continue
		}
		usable++
		errs = append(errs, r.register(&Entry{
			name: namespace + "." + snake(name), description: options.Descriptions[name],
			handler: m.call, given: options.Policies[name], origin: place + " (method " + name + ")",
		}, func() (_, _ *schema.Schema, err error) { return typedSchemas(m.in, m.out) }))
	}
	if usable == 0 && len(errs) == 0 {
		errs = append(errs, refuse("it has no usable exported method: is it a pointer?"))
	}
	return errors.Join(errs...)
}

// A method is one that can be a tool.
type method struct {
	function  reflect.Value
	context   bool
	arguments bool
	fails     bool
	in, out   reflect.Type
}

var (
	contextType = reflect.TypeFor[context.Context]()
	errorType   = reflect.TypeFor[error]()
)

func methodOf(f reflect.Value) (*method, error) {
	t := f.Type()
	m := &method{function: f, in: reflect.TypeFor[struct{}](), out: reflect.TypeFor[any]()}
	in, out := 0, t.NumOut()
	if t.NumIn() > 0 && t.In(0) == contextType {
		m.context, in = true, 1
	}
	switch rest := t.NumIn() - in; {
	case t.IsVariadic(), rest > 1:
		return nil, errors.New("it takes several arguments, whose names are not known at run time: take a struct")
	case rest == 1 && !holdsArguments(t.In(in)):
		return nil, errors.New("it takes a " + t.In(in).String() + ": take a struct with one field per parameter")
	case rest == 1:
		m.arguments, m.in = true, t.In(in)
	}
	if out > 0 && t.Out(out-1) == errorType {
		m.fails = true
		out--
	}
	switch {
	case out > 1:
		return nil, errors.New("it gives several values: give one, and an error")
	case out == 1:
		m.out = t.Out(0)
	}
	_, _, err := typedSchemas(m.in, m.out)
	return m, err
}

func (m *method) call(ctx context.Context, args Args) (any, error) {
	var given []reflect.Value
	if m.context {
		given = append(given, reflect.ValueOf(ctx))
	}
	if m.arguments {
		in := reflect.New(m.in)
		if err := args.Decode(in.Interface()); err != nil {
			return nil, err
		}
		given = append(given, in.Elem())
	}
	results := m.function.Call(given)
	if m.fails {
		last := len(results) - 1
		if err, ok := results[last].Interface().(error); ok {
			return nil, err
		}
		results = results[:last]
	}
	if len(results) == 0 {
		return nil, nil
	}
	return results[0].Interface(), nil
}

// snake spells a Go name as Python would: GetHTTPStatus is get_http_status.
func snake(name string) string {
	var b strings.Builder
	runes := []rune(name)
	for i, c := range runes {
		if unicode.IsUpper(c) && i > 0 && runes[i-1] != '_' &&
			(!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(c))
	}
	return b.String()
}
