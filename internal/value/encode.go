package value

import (
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"time"
)

// Encode writes v in the value encoding. It follows encoding/json in struct tags (name,
// omitempty, omitzero, string and "-"), embedded structs, json.Marshaler and
// encoding.TextMarshaler, with two differences: a nil slice or map is an empty one, so
// that a program can loop over it (a nil pointer or interface is None), and a method of
// the pointer is called even where the value has no address. It keeps exact what JSON
// loses:
//
//   - []byte and named byte slices are bytes;
//   - time.Time is a datetime, cut to microseconds; time.Duration is a timedelta, cut to
//     microseconds too;
//   - *big.Int is an int; *big.Float and *big.Rat are their text, which Python's Decimal
//     and Fraction read;
//   - floats stay floats, NaN and infinities included; complex numbers are complex;
//   - maps whose keys are integers, booleans, floats or times keep them, and those of
//     interface type keep each key's own type;
//   - json.Number is the number it spells; json.RawMessage and what a MarshalJSON method
//     gives are JSON, in which "$" has no special meaning.
//
// Text that is not UTF-8 has U+FFFD in the place of each wrong byte. Errors are *Error.
func Encode(v any) ([]byte, error) { return Append(nil, v) }

// Append is Encode behind dst; on error it gives dst as it was.
func Append(dst []byte, v any) ([]byte, error) {
	e := encoder{buf: dst}
	if err := e.any(v, 0); err != nil {
		return dst, err
	}
	return e.buf, nil
}

// JSON writes Plain(v) as JSON that every parser of RFC 8259 reads.
func JSON(v any) (json.RawMessage, error) {
	e := encoder{json: true}
	if err := e.any(Plain(v), 0); err != nil {
		return nil, err
	}
	return e.buf, nil
}

type encoder struct {
	buf []byte
	// json leaves objects with the key "$" as they are.
	json bool
}

func (e *encoder) text(s string) { e.buf = append(e.buf, s...) }

// tag opens a tagged object; the payload follows, then endTag.
func (e *encoder) tag(kind string) {
	e.text(`{"$":["`)
	e.text(kind)
	e.text(`",`)
}

func (e *encoder) endTag() { e.text(`]}`) }

func (e *encoder) taggedString(kind, text string) {
	e.tag(kind)
	e.buf = appendString(e.buf, text)
	e.endTag()
}

func tooDeep() *Error {
	return problem("nested more than %d deep, or contains itself", MaxDepth)
}

// any writes what is most common without reflection.
func (e *encoder) any(v any, depth int) *Error {
	switch v := v.(type) {
	case nil:
		e.text("null")
	case bool:
		e.buf = strconv.AppendBool(e.buf, v)
	case string:
		e.buf = appendString(e.buf, v)
	case int:
		e.buf = strconv.AppendInt(e.buf, int64(v), 10)
	case int64:
		e.buf = strconv.AppendInt(e.buf, v, 10)
	case float64:
		e.buf = appendFloat(e.buf, v, 64)
	case []any:
		return e.list(v, depth)
	case map[string]any:
		return e.stringMap(v, depth)
	default:
		return e.value(reflect.ValueOf(v), depth)
	}
	return nil
}

func (e *encoder) list(items []any, depth int) *Error {
	if depth > MaxDepth {
		return tooDeep()
	}
	e.buf = append(e.buf, '[')
	for i, item := range items {
		if i > 0 {
			e.buf = append(e.buf, ',')
		}
		if err := e.any(item, depth+1); err != nil {
			return within(err, indexStep(i))
		}
	}
	e.buf = append(e.buf, ']')
	return nil
}

func (e *encoder) value(v reflect.Value, depth int) *Error {
	for hops := 0; ; hops++ {
		if !v.IsValid() {
			e.text("null")
			return nil
		}
		if kind := v.Kind(); kind != reflect.Pointer && kind != reflect.Interface {
			break
		}
		if v.IsNil() {
			e.text("null")
			return nil
		}
		if hops > MaxDepth { // a pointer to itself has no containers to count
			return tooDeep()
		}
		if form := formOf(v.Type()); form == formMarshaler || form == formText {
			break
		}
		v = v.Elem()
	}
	switch form := formOf(v.Type()); form {
	case formBool:
		e.buf = strconv.AppendBool(e.buf, v.Bool())
	case formInt:
		e.buf = strconv.AppendInt(e.buf, v.Int(), 10)
	case formUint:
		e.buf = strconv.AppendUint(e.buf, v.Uint(), 10)
	case formFloat:
		e.buf = appendFloat(e.buf, v.Float(), v.Type().Bits())
	case formComplex:
		e.complex(v.Complex(), v.Type().Bits()/2)
	case formString:
		e.buf = appendString(e.buf, v.String())
	case formBytes:
		e.bytes(v)
	case formSlice, formArray:
		return e.array(v, depth)
	case formMap:
		if m, ok := v.Interface().(map[string]any); ok {
			return e.stringMap(m, depth)
		}
		return e.mapping(v, depth)
	case formStruct:
		return e.structure(v, depth)
	case formTime:
		e.tag("datetime")
		e.buf = append(e.buf, '"')
		var err *Error
		if e.buf, err = appendTime(e.buf, v.Interface().(time.Time)); err != nil {
			return err
		}
		e.buf = append(e.buf, '"')
		e.endTag()
	case formDuration:
		e.tag("timedelta")
		e.buf = strconv.AppendInt(e.buf, time.Duration(v.Int()).Microseconds(), 10)
		e.endTag()
	case formBigInt, formBigFloat, formBigRat:
		return e.big(v)
	case formNumber:
		return e.number(v.String())
	case formRaw:
		return e.raw(v.Bytes(), depth)
	case formDecimal:
		if !isDecimal(v.String()) {
			return problem("%q is not a decimal number", shorten(v.String()))
		}
		e.taggedString("decimal", v.String())
	case formScalar:
		return e.scalar(v.Interface().(Scalar))
	case formSet:
		e.tag("set")
		if err := e.list(v.Interface().(Set), depth); err != nil {
			return err
		}
		e.endTag()
	case formDict:
		return e.dict(v.Interface().(Dict), depth)
	case formMarshaler, formText:
		return e.marshaler(v, form, depth)
	case formMarshalerAddr, formTextAddr:
		return e.addressed(v, form, depth)
	default:
		return problem("a Go value of type %s cannot be sent", v.Type())
	}
	return nil
}

func (e *encoder) array(v reflect.Value, depth int) *Error {
	if depth > MaxDepth {
		return tooDeep()
	}
	e.buf = append(e.buf, '[')
	for i := range v.Len() {
		if i > 0 {
			e.buf = append(e.buf, ',')
		}
		if err := e.value(v.Index(i), depth+1); err != nil {
			return within(err, indexStep(i))
		}
	}
	e.buf = append(e.buf, ']')
	return nil
}

// sortedKeys gives the keys of m in order, which keeps results the same from run to run.
func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
