package value

import (
	"encoding"
	"encoding/json"
	"math/big"
	"reflect"
	"sync"
	"time"
)

// form says how values of a Go type are written.
type form uint8

const (
	formUnsupported form = iota
	formBool
	formInt
	formUint
	formFloat
	formComplex
	formString
	formBytes
	formSlice
	formArray
	formMap
	formStruct
	formPointer // and interfaces
	formTime
	formDuration
	formBigInt
	formBigFloat
	formBigRat
	formNumber
	formRaw
	formDecimal
	formScalar
	formSet
	formDict
	formMarshaler
	formText
	// The Addr forms have the method on their pointer.
	formMarshalerAddr
	formTextAddr
)

// exactForms are the types known by name, before their methods are looked at.
var exactForms = map[reflect.Type]form{
	reflect.TypeFor[time.Time]():       formTime,
	reflect.TypeFor[time.Duration]():   formDuration,
	reflect.TypeFor[big.Int]():         formBigInt,
	reflect.TypeFor[big.Float]():       formBigFloat,
	reflect.TypeFor[big.Rat]():         formBigRat,
	reflect.TypeFor[json.Number]():     formNumber,
	reflect.TypeFor[json.RawMessage](): formRaw,
	reflect.TypeFor[Decimal]():         formDecimal,
	reflect.TypeFor[Scalar]():          formScalar,
	reflect.TypeFor[Set]():             formSet,
	reflect.TypeFor[Dict]():            formDict,
}

var (
	jsonMarshaler   = reflect.TypeFor[json.Marshaler]()
	textMarshaler   = reflect.TypeFor[encoding.TextMarshaler]()
	jsonUnmarshaler = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
)

var forms sync.Map // reflect.Type -> form

// predeclared are Go's own scalar types by their kind, which need no look-up.
var predeclared = func() (list [reflect.UnsafePointer + 1]struct {
	typ  reflect.Type
	form form
}) {
	for kind, t := range plainKinds {
		list[kind].typ, list[kind].form = t, findForm(t)
	}
	return list
}()

func formOf(t reflect.Type) form {
	if own := &predeclared[t.Kind()]; own.typ == t {
		return own.form
	}
	if f, ok := forms.Load(t); ok {
		return f.(form)
	}
	f := findForm(t)
	forms.Store(t, f)
	return f
}

func findForm(t reflect.Type) form {
	if f, ok := exactForms[t]; ok {
		return f
	}
	kind := t.Kind()
	if kind == reflect.Interface {
		return formPointer // what it holds decides
	}
	if kind == reflect.Pointer {
		if _, exact := exactForms[t.Elem()]; exact {
			return formPointer
		}
	}
	switch {
	case t.Implements(jsonMarshaler):
		return formMarshaler
	case kind != reflect.Pointer && reflect.PointerTo(t).Implements(jsonMarshaler):
		return formMarshalerAddr
	case t.Implements(textMarshaler):
		return formText
	case kind != reflect.Pointer && reflect.PointerTo(t).Implements(textMarshaler):
		return formTextAddr
	}
	switch kind {
	case reflect.Bool:
		return formBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return formInt
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return formUint
	case reflect.Float32, reflect.Float64:
		return formFloat
	case reflect.Complex64, reflect.Complex128:
		return formComplex
	case reflect.String:
		return formString
	case reflect.Slice:
		if isByte(t.Elem()) {
			return formBytes
		}
		return formSlice
	case reflect.Array:
		return formArray
	case reflect.Map:
		return formMap
	case reflect.Struct:
		return formStruct
	case reflect.Pointer:
		return formPointer
	}
	return formUnsupported
}

// isByte reports whether slices of t are bytes: not where t has its own way to be
// written.
func isByte(t reflect.Type) bool {
	if t.Kind() != reflect.Uint8 {
		return false
	}
	p := reflect.PointerTo(t)
	return !p.Implements(jsonMarshaler) && !p.Implements(textMarshaler)
}
