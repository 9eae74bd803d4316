package value

import (
	"math"
	"strconv"
)

// Decode reads one value, of at most maxBytes bytes; with maxBytes 0 or less the caller
// has bounded data already. It trusts nothing in data. The types it gives:
//
//	None        nil
//	bool        bool
//	int         int64, *big.Int beyond
//	float       float64
//	str         string
//	bytes       []byte
//	list, tuple []any
//	set         Set
//	dict        map[string]any, or Dict where a key is not a string
//	datetime    time.Time with the offset it had; Scalar without a timezone
//	timedelta   time.Duration, Scalar beyond
//	Decimal     Decimal
//	complex     complex128
//	date, time, UUID  Scalar
//
// Of an object's members with one name the last counts, as in Python. A float beyond the
// range is an infinity, as in Python. Errors are *Error.
func Decode(data []byte, maxBytes int) (any, error) {
	if maxBytes > 0 && len(data) > maxBytes {
		return nil, problem("the value takes %d bytes; the limit is %d", len(data), maxBytes)
	}
	p := parser{data: data}
	v, err := p.value(0)
	if err == nil {
		if p.space(); p.pos < len(data) {
			err = p.fail("more after the value")
		}
	}
	if err != nil {
		return nil, err
	}
	return v, nil
}

type parser struct {
	data []byte
	pos  int
}

func (p *parser) fail(format string, args ...any) *Error {
	err := problem(format, args...)
	err.Problem += " at byte " + strconv.Itoa(p.pos)
	return err
}

func (p *parser) space() {
	for p.pos < len(p.data) {
		switch p.data[p.pos] {
		case ' ', '\t', '\n', '\r':
			p.pos++
		default:
			return
		}
	}
}

// peek gives the next byte that is not white space; 0 at the end.
func (p *parser) peek() byte {
	p.space()
	if p.pos == len(p.data) {
		return 0
	}
	return p.data[p.pos]
}

func (p *parser) expect(c byte) *Error {
	if p.peek() != c {
		return p.fail("%q missing", c)
	}
	p.pos++
	return nil
}

func (p *parser) word(w string) bool {
	if len(p.data)-p.pos < len(w) || string(p.data[p.pos:p.pos+len(w)]) != w {
		return false
	}
	p.pos += len(w)
	return true
}

func (p *parser) value(depth int) (any, *Error) {
	switch c := p.peek(); {
	case c == '"':
		return p.string()
	case c == '{':
		return p.object(depth)
	case c == '[':
		return p.list(depth)
	case c == '-' || '0' <= c && c <= '9':
		return p.number()
	case c == 't' && p.word("true"):
		return true, nil
	case c == 'f' && p.word("false"):
		return false, nil
	case c == 'n' && p.word("null"):
		return nil, nil
	case c == 'N' && p.word("NaN"):
		return math.NaN(), nil
	case c == 'I' && p.word("Infinity"):
		return math.Inf(1), nil
	}
	return nil, p.fail("value expected")
}

// elements calls next for each element of an array, after the opening bracket.
func (p *parser) elements(next func(i int) *Error) *Error {
	if err := p.expect('['); err != nil {
		return err
	}
	if p.peek() == ']' {
		p.pos++
		return nil
	}
	for i := 0; ; i++ {
		if err := next(i); err != nil {
			return within(err, indexStep(i))
		}
		if p.peek() == ']' {
			p.pos++
			return nil
		}
		if err := p.expect(','); err != nil {
			return err
		}
	}
}

func (p *parser) list(depth int) ([]any, *Error) {
	if depth > MaxDepth {
		return nil, tooDeep()
	}
	list := []any{}
	err := p.elements(func(int) *Error {
		v, err := p.value(depth + 1)
		list = append(list, v)
		return err
	})
	return list, err
}

func (p *parser) object(depth int) (any, *Error) {
	if depth > MaxDepth {
		return nil, tooDeep()
	}
	p.pos++
	m := map[string]any{}
	if p.peek() == '}' {
		p.pos++
		return m, nil
	}
	for {
		if p.peek() != '"' {
			return nil, p.fail("a key in quotes expected")
		}
		key, err := p.string()
		if err != nil {
			return nil, err
		}
		if err := p.expect(':'); err != nil {
			return nil, err
		}
		if key == "$" {
			if len(m) > 0 {
				return nil, p.fail(`the key "$" beside others`)
			}
			return p.tagged(depth)
		}
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, within(err, nameStep(key))
		}
		m[key] = v
		if p.peek() == '}' {
			p.pos++
			return m, nil
		}
		if err := p.expect(','); err != nil {
			return nil, err
		}
	}
}
