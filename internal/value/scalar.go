package value

import (
	"encoding"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"reflect"
)

func (e *encoder) bytes(v reflect.Value) {
	e.tag("bytes")
	e.buf = append(e.buf, '"')
	e.buf = base64.StdEncoding.AppendEncode(e.buf, v.Bytes())
	e.buf = append(e.buf, '"')
	e.endTag()
}

func (e *encoder) complex(c complex128, bits int) {
	e.tag("complex")
	e.buf = appendFloat(append(e.buf, '['), real(c), bits)
	e.buf = appendFloat(append(e.buf, ','), imag(c), bits)
	e.buf = append(e.buf, ']')
	e.endTag()
}

// maxBits is a little more than MaxDigits digits take.
const maxBits = MaxDigits / 3 * 10

func (e *encoder) big(v reflect.Value) *Error {
	if !v.CanAddr() { // the methods are the pointer's
		addressable := reflect.New(v.Type()).Elem()
		addressable.Set(v)
		v = addressable
	}
	switch n := v.Addr().Interface().(type) {
	case *big.Int:
		if n.BitLen() > maxBits {
			return problem("the integer has more than %d digits", MaxDigits)
		}
		start := len(e.buf)
		e.buf = n.Append(e.buf, 10)
		if len(e.buf)-start > MaxDigits {
			return problem("the integer has more than %d digits", MaxDigits)
		}
	case *big.Float:
		// Its text is made from all its digits, zeros included.
		if exponent := n.MantExp(nil); exponent < -maxBits || exponent > maxBits || n.MinPrec() > maxBits {
			return problem("the number has more than %d digits", MaxDigits)
		}
		text := n.Text('g', -1)
		e.buf = appendString(e.buf, text)
	case *big.Rat:
		e.buf = appendString(e.buf, n.RatString())
	}
	return nil
}

// number writes a json.Number; like encoding/json it takes the empty one for 0.
func (e *encoder) number(s string) *Error {
	if s == "" {
		s = "0"
	}
	number, integer := isNumber(s)
	if !number {
		return problem("%q is not a JSON number", shorten(s))
	}
	if integer && len(s) > MaxDigits {
		return problem("the integer has more than %d digits", MaxDigits)
	}
	e.text(s)
	return nil
}

func (e *encoder) scalar(s Scalar) *Error {
	ok := false
	switch s.Kind {
	case "date":
		ok = isDate(s.Text)
	case "time":
		ok = isTime(s.Text)
	case "datetime":
		_, ok = parseDatetime(s.Text)
	case "uuid":
		ok = isUUID(s.Text)
	case "timedelta":
		if _, ok = isNumber(s.Text); ok && len(s.Text) <= maxTimedeltaDigits {
			e.tag(s.Kind)
			e.text(s.Text)
			e.endTag()
			return nil
		}
		ok = false
	}
	if !ok {
		return problem("%q is not a %s as Python writes it", shorten(s.Text), s.Kind)
	}
	e.taggedString(s.Kind, s.Text)
	return nil
}

// marshaler calls the value's own method.
func (e *encoder) marshaler(v reflect.Value, f form, depth int) *Error {
	if f == formText {
		text, err := v.Interface().(encoding.TextMarshaler).MarshalText()
		if err != nil {
			return &Error{Problem: v.Type().String() + ".MarshalText failed", Err: err}
		}
		e.buf = appendString(e.buf, string(text))
		return nil
	}
	raw, err := v.Interface().(json.Marshaler).MarshalJSON()
	if err != nil {
		return &Error{Problem: v.Type().String() + ".MarshalJSON failed", Err: err}
	}
	return e.raw(raw, depth)
}

// addressed calls a method of the value's pointer, of a copy if need be: whether a value
// can be addressed is no part of its type.
func (e *encoder) addressed(v reflect.Value, f form, depth int) *Error {
	if !v.CanAddr() {
		copied := reflect.New(v.Type()).Elem()
		copied.Set(v)
		v = copied
	}
	if f == formTextAddr {
		return e.marshaler(v.Addr(), formText, depth)
	}
	return e.marshaler(v.Addr(), formMarshaler, depth)
}

// plainKinds are the types without methods that scalars convert to.
var plainKinds = map[reflect.Kind]reflect.Type{
	reflect.Bool: reflect.TypeFor[bool](), reflect.String: reflect.TypeFor[string](),
	reflect.Int: reflect.TypeFor[int](), reflect.Int8: reflect.TypeFor[int8](),
	reflect.Int16: reflect.TypeFor[int16](), reflect.Int32: reflect.TypeFor[int32](),
	reflect.Int64: reflect.TypeFor[int64](), reflect.Uint: reflect.TypeFor[uint](),
	reflect.Uint8: reflect.TypeFor[uint8](), reflect.Uint16: reflect.TypeFor[uint16](),
	reflect.Uint32: reflect.TypeFor[uint32](), reflect.Uint64: reflect.TypeFor[uint64](),
	reflect.Uintptr: reflect.TypeFor[uintptr](), reflect.Float32: reflect.TypeFor[float32](),
	reflect.Float64: reflect.TypeFor[float64](), reflect.Complex64: reflect.TypeFor[complex64](),
	reflect.Complex128: reflect.TypeFor[complex128](),
}
