package registry

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"iter"
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
	// Descriptions are by the methods' Go names. A method that is not there has its doc
	// comment, if that can be found.
	Descriptions map[string]string
	// Source has the Go files of the type's package at its root, such as an embed.FS of
	// *.go, whose comments then go wherever the program goes. If nil, the files that the
	// program was compiled from are read where they still are, and there are no comments
	// where they are not. An empty one turns comments off.
	Source fs.FS
	// Policies are by the methods' Go names.
	Policies map[string]Policy
	// SkipUnusable leaves methods out whose signature cannot be a tool's. If false, one is
	// an error.
	SkipUnusable bool
}

// AddMethods registers every exported method of a value, usually a pointer to a struct:
// ForecastFor of a *WeatherAPI becomes weather_api.forecast_for. A method takes a
// context.Context or none, then what Func's In may be or nothing, and gives a value, an
// error, both or neither, or rows as an iter.Seq2[T, error], which make it a tool that
// streams. It fails with fault.Invalid, naming each method that cannot be
// registered and why; Err keeps that as well. The others are registered all the same.
//
// Doc comments are taken over: a method's is the tool's description, without the method's
// name at its beginning; those of struct types and of their fields, above or behind
// the field, describe what tags do not. Types of other packages of the module have
// theirs only without Methods.Source.
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
	usable, written := 0, commentsOf(t, options.Source)
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
		description, given := options.Descriptions[name]
		if !given {
			description = written.method(t, name)
		}
		docs := func(t reflect.Type, field string) string {
			if t == argumentsOf(m.in) && field == "" && description != "" {
				return "" // the tool has a description, and the type's name is seen by nobody
			}
			return written.of(t, field)
		}
		errs = append(errs, r.register(&Entry{
			name: namespace + "." + snake(name), description: description, streaming: m.rows,
			handler: m.call, given: options.Policies[name], origin: place + " (method " + name + ")",
		}, func() (_, _ *schema.Schema, err error) { return typedSchemas(m.in, m.out, docs) }))
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
	rows      bool // it gives an iterator over out
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
		if row := rowType(m.out); row != nil {
			m.out, m.rows = row, true
		}
	}
	_, _, err := typedSchemas(m.in, m.out)
	return m, err
}

func argumentsOf(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}

// rowType is the T of an iter.Seq2[T, error]; nil for another type.
func rowType(t reflect.Type) reflect.Type {
	if t.Kind() != reflect.Func || t.NumIn() != 1 || t.NumOut() != 0 || t.IsVariadic() {
		return nil
	}
	yield := t.In(0)
	if yield.Kind() != reflect.Func || yield.NumIn() != 2 || yield.NumOut() != 1 || yield.IsVariadic() ||
		yield.In(1) != errorType || yield.Out(0) != reflect.TypeFor[bool]() {
		return nil
	}
	return yield.In(0)
}

// rowsFrom is an iterator of which only reflection knows the type.
func rowsFrom(iterator reflect.Value) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		iterator.Call([]reflect.Value{reflect.MakeFunc(iterator.Type().In(0), func(row []reflect.Value) []reflect.Value {
			err, _ := row[1].Interface().(error)
			return []reflect.Value{reflect.ValueOf(yield(row[0].Interface(), err))}
		})})
	}
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
	if m.rows {
		return rowsFrom(results[0]), nil
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
