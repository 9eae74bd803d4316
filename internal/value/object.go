package value

import (
	"bytes"
	"cmp"
	"encoding"
	"reflect"
	"slices"
)

// object writes key and value pairs as an object, or tagged where a key does not let it.
type object struct {
	tagged bool
	first  bool
}

func (e *encoder) open(tagged bool) object {
	if tagged {
		e.tag("dict")
		e.buf = append(e.buf, '[')
	} else {
		e.buf = append(e.buf, '{')
	}
	return object{tagged: tagged, first: true}
}

// next is followed by the key.
func (e *encoder) next(o *object) {
	if !o.first {
		e.buf = append(e.buf, ',')
	}
	o.first = false
	if o.tagged {
		e.buf = append(e.buf, '[')
	}
}

// between stands after the key, and is followed by the value.
func (e *encoder) between(o *object) {
	if o.tagged {
		e.buf = append(e.buf, ',')
	} else {
		e.buf = append(e.buf, ':')
	}
}

func (e *encoder) done(o *object) {
	if o.tagged {
		e.buf = append(e.buf, ']')
	}
}

func (e *encoder) close(o *object) {
	if o.tagged {
		e.buf = append(e.buf, ']')
		e.endTag()
	} else {
		e.buf = append(e.buf, '}')
	}
}

func (e *encoder) stringMap(m map[string]any, depth int) *Error {
	if depth > MaxDepth {
		return tooDeep()
	}
	_, dollar := m["$"]
	o := e.open(dollar && !e.json)
	for _, key := range sortedKeys(m) {
		e.next(&o)
		e.buf = appendString(e.buf, key)
		e.between(&o)
		if err := e.any(m[key], depth+1); err != nil {
			return within(err, nameStep(key))
		}
		e.done(&o)
	}
	e.close(&o)
	return nil
}

func (e *encoder) structure(v reflect.Value, depth int) *Error {
	if depth > MaxDepth {
		return tooDeep()
	}
	fields := fieldsOf(v.Type())
	o := e.open(fields.dollar && !e.json)
	for i := range fields.list {
		f := &fields.list[i]
		fv, ok := fieldValue(v, f.index)
		if !ok || f.omitEmpty && isEmpty(fv) || f.isZero != nil && f.isZero(fv) {
			continue
		}
		e.next(&o)
		e.text(f.key)
		e.between(&o)
		var err *Error
		if f.quoted {
			err = e.quoted(fv)
		} else {
			err = e.value(fv, depth+1)
		}
		if err != nil {
			return within(err, nameStep(f.name))
		}
		e.done(&o)
	}
	e.close(&o)
	return nil
}

// fieldValue follows index; there is no field behind a nil pointer.
func fieldValue(v reflect.Value, index []int) (reflect.Value, bool) {
	for n, i := range index {
		if n > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return reflect.Value{}, false
			}
			v = v.Elem()
		}
		v = v.Field(i)
	}
	return v, true
}

// quoted writes a scalar inside a string, for the string option of a struct tag. A
// Duration is its nanoseconds there, as for encoding/json.
func (e *encoder) quoted(v reflect.Value) *Error {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			e.text("null")
			return nil
		}
		v = v.Elem()
	}
	inner := encoder{json: e.json}
	if formOf(v.Type()) == formDuration {
		v = reflect.ValueOf(v.Int())
	}
	if err := inner.value(v, 0); err != nil {
		return err
	}
	e.buf = appendString(e.buf, string(inner.buf))
	return nil
}

// entry is one of a map's, its key as encoded.
type entry struct {
	key   []byte
	value reflect.Value
}

func (e *encoder) mapping(v reflect.Value, depth int) *Error {
	if depth > MaxDepth {
		return tooDeep()
	}
	entries := make([]entry, 0, v.Len())
	tagged := false
	for iter := v.MapRange(); iter.Next(); {
		key, isText, err := e.key(iter.Key(), depth+1)
		if err != nil {
			return within(err, "[a key]")
		}
		tagged = tagged || !isText || !e.json && string(key) == `"$"`
		entries = append(entries, entry{key: key, value: iter.Value()})
	}
	slices.SortFunc(entries, compareKeys)
	o := e.open(tagged)
	for _, entry := range entries {
		e.next(&o)
		e.buf = append(e.buf, entry.key...)
		e.between(&o)
		if err := e.value(entry.value, depth+1); err != nil {
			return within(err, encodedStep(entry.key))
		}
		e.done(&o)
	}
	e.close(&o)
	return nil
}

// compareKeys orders integers by size and all else by its encoding.
func compareKeys(a, b entry) int {
	if _, ok := isNumber(string(a.key)); ok {
		if _, ok := isNumber(string(b.key)); ok {
			an, bn := a.key[0] == '-', b.key[0] == '-'
			switch {
			case an && !bn:
				return -1
			case bn && !an:
				return 1
			case an:
				a, b = b, a
			}
			return cmp.Or(cmp.Compare(len(a.key), len(b.key)), bytes.Compare(a.key, b.key))
		}
	}
	return bytes.Compare(a.key, b.key)
}

func encodedStep(key []byte) string {
	if text, err := Decode(key, 0); err == nil {
		if name, ok := text.(string); ok {
			return nameStep(name)
		}
	}
	return "[" + shorten(string(key)) + "]"
}

// key encodes a map's key and says whether it is a string. Strings and text marshalers
// are, as for encoding/json; numbers, booleans and the types that the encoding knows
// stay what they are.
func (e *encoder) key(k reflect.Value, depth int) (key []byte, isText bool, err *Error) {
	if k.Kind() == reflect.Interface {
		k = k.Elem()
	}
	if !k.IsValid() {
		return []byte("null"), false, nil
	}
	if k.Kind() == reflect.String {
		return appendString(nil, k.String()), true, nil
	}
	inner := encoder{json: e.json}
	switch f := formOf(k.Type()); f {
	case formText, formMarshaler:
		if k.Type().Implements(textMarshaler) {
			if k.Kind() == reflect.Pointer && k.IsNil() {
				return []byte(`""`), true, nil
			}
			text, err := k.Interface().(encoding.TextMarshaler).MarshalText()
			if err != nil {
				return nil, false, &Error{Problem: k.Type().String() + ".MarshalText failed", Err: err}
			}
			return appendString(nil, string(text)), true, nil
		}
	case formBool, formInt, formUint, formFloat, formComplex, formTime, formDuration,
		formNumber, formDecimal, formScalar, formArray:
		err := inner.value(k, depth)
		return inner.buf, false, err
	}
	// A method that is no help for a key hides a plain scalar.
	if plain, ok := plainKinds[k.Kind()]; ok {
		err := inner.value(k.Convert(plain), depth)
		return inner.buf, false, err
	}
	return nil, false, problem("a Go value of type %s cannot be a dictionary's key", k.Type())
}

func (e *encoder) dict(d Dict, depth int) *Error {
	if depth > MaxDepth {
		return tooDeep()
	}
	o := e.open(true)
	for _, item := range d {
		e.next(&o)
		if err := e.any(item.Key, depth+1); err != nil {
			return within(err, "[a key]")
		}
		e.between(&o)
		if err := e.any(item.Value, depth+1); err != nil {
			return within(err, nameStep(keyText(item.Key)))
		}
		e.done(&o)
	}
	e.close(&o)
	return nil
}
