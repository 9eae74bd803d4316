package value

import (
	"encoding"
	"encoding/base64"
	"encoding/json"
	"reflect"
)

// DecodeInto is Decode and Assign.
func DecodeInto(data []byte, maxBytes int, out any) error {
	v, err := Decode(data, maxBytes)
	if err != nil {
		return err
	}
	return Assign(v, out)
}

// Assign stores v, which Decode gave, in what out points to. Where the Go type can take
// the value exactly, it gets it: []byte, time.Time, time.Duration, *big.Int, floats with
// NaN, maps with integer keys, and whatever Decode gives in a field of type any, which
// then shares it with v. Everything else is stored as json.Unmarshal would store Plain(v),
// so a []byte takes base64, a time.Time an RFC 3339 string and a type with UnmarshalJSON
// or UnmarshalText what that accepts. The differences:
//
//   - names of struct fields are compared exactly, as a schema does;
//   - an integer takes a float without a fraction;
//   - an array takes no more elements than it has;
//   - a time.Duration takes a timedelta, a string such as "1m30s" or "PT1M30S", or an
//     int of nanoseconds;
//   - a datetime without a timezone is no time.Time.
//
// Errors are *Error; what was stored before one stays.
func Assign(v, out any) error {
	dst := reflect.ValueOf(out)
	if dst.Kind() != reflect.Pointer || dst.IsNil() {
		return problem("a pointer is needed to store a value, not %T", out)
	}
	if err := assign(dst.Elem(), v); err != nil {
		return err
	}
	return nil
}

func mismatch(v any, t reflect.Type) *Error {
	return problem("expected %s, got %s", wanted(t), pythonType(v))
}

// wanted names in Python's words what a Go type takes.
func wanted(t reflect.Type) string {
	switch formOf(t) {
	case formTime:
		return "datetime with a timezone"
	case formDuration:
		return "timedelta | str"
	case formBytes:
		return "bytes | str"
	case formBigInt:
		return "int"
	case formBigFloat, formBigRat, formDecimal, formNumber:
		return "int | float | Decimal"
	case formSet:
		return "set"
	}
	switch t.Kind() {
	case reflect.Bool:
		return "bool"
	case reflect.String:
		return "str"
	case reflect.Float32, reflect.Float64:
		return "float"
	case reflect.Complex64, reflect.Complex128:
		return "complex"
	case reflect.Slice, reflect.Array:
		return "list"
	case reflect.Map, reflect.Struct:
		return "dict"
	}
	if _, isInt := plainKinds[t.Kind()]; isInt {
		return "int"
	}
	return "a value for " + t.String()
}

func assign(dst reflect.Value, v any) *Error {
	for hops := 0; dst.Kind() == reflect.Pointer; hops++ {
		if v == nil {
			dst.SetZero()
			return nil
		}
		if hops > MaxDepth {
			return tooDeep()
		}
		if dst.IsNil() {
			dst.Set(reflect.New(dst.Type().Elem()))
		}
		dst = dst.Elem()
	}
	if dst.Kind() == reflect.Interface {
		if dst.NumMethod() > 0 {
			return mismatch(v, dst.Type())
		}
		if v == nil {
			dst.SetZero()
		} else {
			dst.Set(reflect.ValueOf(v))
		}
		return nil
	}
	if v != nil && reflect.TypeOf(v) == dst.Type() {
		dst.Set(reflect.ValueOf(v))
		return nil
	}
	if _, exact := exactForms[dst.Type()]; exact {
		return assignExact(dst, v)
	}
	pointer := reflect.PointerTo(dst.Type())
	if pointer.Implements(jsonUnmarshaler) {
		raw, err := JSON(v)
		if err == nil {
			err = dst.Addr().Interface().(json.Unmarshaler).UnmarshalJSON(raw)
		}
		if err != nil {
			return &Error{Problem: "not accepted by " + dst.Type().String(), Err: err}
		}
		return nil
	}
	if v == nil {
		switch dst.Kind() {
		case reflect.Map, reflect.Slice:
			dst.SetZero()
		}
		return nil // as json.Unmarshal: null leaves the rest alone
	}
	if pointer.Implements(textUnmarshaler) {
		text, ok := textOf(v)
		if !ok {
			return problem("expected str, got %s", pythonType(v))
		}
		if err := dst.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(text)); err != nil {
			return &Error{Problem: "not accepted by " + dst.Type().String(), Err: err}
		}
		return nil
	}
	return assignKind(dst, v)
}

// textOf gives the text that stands for v in JSON, if it is one: not for bytes, whose
// base64 nobody would expect in place of text.
func textOf(v any) (string, bool) {
	switch text := Instance(v).(type) {
	case string:
		return text, true
	case Text:
		return text.Text, text.Python != "bytes"
	}
	return "", false
}

func assignList(dst reflect.Value, v any) *Error {
	if isByte(dst.Type().Elem()) {
		data, isData := v.([]byte)
		if text, isText := v.(string); isText && dst.Kind() == reflect.Slice {
			decoded, err := base64.StdEncoding.DecodeString(text)
			if err != nil {
				return problem("expected bytes or a str of base64; the str is not base64")
			}
			data, isData = decoded, true
		}
		switch {
		case isData && dst.Kind() == reflect.Slice:
			dst.SetBytes(data)
			return nil
		case isData && len(data) != dst.Len():
			return problem("expected %d bytes, got %d", dst.Len(), len(data))
		case isData:
			reflect.Copy(dst, reflect.ValueOf(data))
			return nil
		}
	}
	var list []any
	switch v := v.(type) {
	case []any:
		list = v
	case Set:
		list = v
	default:
		return mismatch(v, dst.Type())
	}
	if dst.Kind() == reflect.Slice {
		dst.Set(reflect.MakeSlice(dst.Type(), len(list), len(list)))
	} else {
		if len(list) > dst.Len() {
			return problem("expected at most %d items, got %d", dst.Len(), len(list))
		}
		dst.SetZero()
	}
	for i, item := range list {
		if err := assign(dst.Index(i), item); err != nil {
			return within(err, indexStep(i))
		}
	}
	return nil
}

func assignMap(dst reflect.Value, v any) *Error {
	var items Dict
	switch v := v.(type) {
	case Dict:
		items = v
	case map[string]any:
		items = make(Dict, 0, len(v))
		for _, key := range sortedKeys(v) { // so that the first error is always the same
			items = append(items, DictItem{key, v[key]})
		}
	default:
		return mismatch(v, dst.Type())
	}
	if dst.IsNil() {
		dst.Set(reflect.MakeMapWithSize(dst.Type(), len(items)))
	}
	for _, item := range items {
		key := reflect.New(dst.Type().Key()).Elem()
		if err := assignKey(key, item.Key); err != nil {
			return within(err, "[a key]")
		}
		if !key.Comparable() {
			return within(problem("a %s cannot be a key", pythonType(item.Key)), "[a key]")
		}
		value := reflect.New(dst.Type().Elem()).Elem()
		if err := assign(value, item.Value); err != nil {
			return within(err, nameStep(keyText(item.Key)))
		}
		dst.SetMapIndex(key, value)
	}
	return nil
}

// assignKey takes keys as they are, and as JSON spells them: text for a number.
func assignKey(dst reflect.Value, key any) *Error {
	if dst.Kind() == reflect.String {
		dst.SetString(keyText(key))
		return nil
	}
	if text, ok := key.(string); ok && dst.Kind() != reflect.Interface {
		if pointer := reflect.PointerTo(dst.Type()); !pointer.Implements(textUnmarshaler) {
			if spelled, err := Decode([]byte(text), MaxDigits); err == nil {
				key = spelled
			}
		}
	}
	return assign(dst, key)
}

func assignStruct(dst reflect.Value, v any) *Error {
	members, ok := v.(map[string]any)
	if !ok {
		return mismatch(v, dst.Type())
	}
	fields := fieldsOf(dst.Type())
	for i := range fields.list {
		f := &fields.list[i]
		member, present := members[f.name]
		if !present {
			continue
		}
		field, err := reach(dst, f.index)
		if err == nil {
			if text, isText := member.(string); isText && f.quoted {
				err = assignQuoted(field, text)
			} else {
				err = assign(field, member)
			}
		}
		if err != nil {
			return within(err, nameStep(f.name))
		}
	}
	return nil
}

// assignQuoted undoes the string option of a struct tag.
func assignQuoted(dst reflect.Value, text string) *Error {
	v, err := Decode([]byte(text), 0)
	if err != nil {
		return problem("expected a str that holds a JSON value, got %q", shorten(text))
	}
	return assign(dst, v)
}

// reach is fieldValue that fills in nil pointers on its way.
func reach(v reflect.Value, index []int) (reflect.Value, *Error) {
	for n, i := range index {
		if n > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				if !v.CanSet() {
					return v, problem("the field is in %s, a nil pointer of an unexported type", v.Type())
				}
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(i)
	}
	return v, nil
}
