package value

import (
	"encoding/base64"
	"math"
	"math/big"
	"time"
)

// maxTimedeltaDigits is more than a timedelta needs: a billion days of microseconds,
// and a sign.
const maxTimedeltaDigits = 24

// tagged reads what stands behind the key "$", up to the end of the object.
func (p *parser) tagged(depth int) (any, *Error) {
	if err := p.expect('['); err != nil {
		return nil, err
	}
	if p.peek() != '"' {
		return nil, p.fail(`a kind expected behind "$"`)
	}
	kind, err := p.string()
	if err != nil {
		return nil, err
	}
	if err := p.expect(','); err != nil {
		return nil, err
	}
	v, err := p.payload(kind, depth)
	if err != nil {
		return nil, err
	}
	if err := p.expect(']'); err != nil {
		return nil, err
	}
	if p.peek() == ',' {
		return nil, p.fail(`the key "$" beside others`)
	}
	return v, p.expect('}')
}

func (p *parser) payload(kind string, depth int) (any, *Error) {
	switch kind {
	case "set":
		list, err := p.list(depth)
		return Set(list), err
	case "dict":
		return p.dict(depth)
	case "complex":
		return p.complex()
	case "timedelta":
		return p.timedelta()
	}
	if p.peek() != '"' {
		return nil, p.fail("a string expected for %s", shorten(kind))
	}
	text, err := p.string()
	if err != nil {
		return nil, err
	}
	var v any = Scalar{kind, text}
	var ok bool
	switch kind {
	case "bytes":
		data, err := base64.StdEncoding.Strict().DecodeString(text)
		v, ok = data, err == nil
	case "decimal":
		v, ok = Decimal(text), isDecimal(text)
	case "datetime":
		v, ok = parseDatetime(text)
	case "date":
		ok = isDate(text)
	case "time":
		ok = isTime(text)
	case "uuid":
		ok = isUUID(text)
	default:
		return nil, p.fail("unknown kind %q", shorten(kind))
	}
	if !ok {
		return nil, p.fail("%q is not a valid %s,", shorten(text), kind)
	}
	return v, nil
}

func (p *parser) dict(depth int) (any, *Error) {
	d, names := Dict{}, true
	err := p.elements(func(int) *Error {
		if err := p.expect('['); err != nil {
			return err
		}
		key, err := p.value(depth + 1)
		if err != nil {
			return err
		}
		if err := p.expect(','); err != nil {
			return err
		}
		v, err := p.value(depth + 1)
		if err != nil {
			return within(err, nameStep(keyText(key)))
		}
		_, isName := key.(string)
		names = names && isName
		d = append(d, DictItem{key, v})
		return p.expect(']')
	})
	if err != nil || !names {
		return d, err
	}
	m := make(map[string]any, len(d)) // it was tagged for the key "$"
	for _, item := range d {
		m[item.Key.(string)] = item.Value
	}
	return m, nil
}

func (p *parser) complex() (any, *Error) {
	var parts []float64
	err := p.elements(func(int) *Error {
		v, err := p.value(MaxDepth + 1)
		if err != nil {
			return err
		}
		switch v := v.(type) {
		case float64:
			parts = append(parts, v)
		case int64:
			parts = append(parts, float64(v))
		default:
			return p.fail("a number expected in a complex")
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(parts) != 2 {
		return nil, p.fail("a complex has two parts")
	}
	return complex(parts[0], parts[1]), nil
}

func (p *parser) timedelta() (any, *Error) {
	v, err := p.value(MaxDepth + 1)
	if err != nil {
		return nil, err
	}
	const most = math.MaxInt64 / int64(time.Microsecond)
	switch v := v.(type) {
	case int64:
		if -most <= v && v <= most {
			return time.Duration(v) * time.Microsecond, nil
		}
		return Scalar{"timedelta", big.NewInt(v).String()}, nil
	case *big.Int:
		if text := v.String(); len(text) <= maxTimedeltaDigits {
			return Scalar{"timedelta", text}, nil
		}
	}
	return nil, p.fail("an integer of microseconds expected for timedelta")
}
