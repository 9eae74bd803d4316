package value

import (
	"unicode/utf16"
	"unicode/utf8"
)

// string reads a string; the next byte is its opening quote.
func (p *parser) string() (string, *Error) {
	p.pos++
	start := p.pos
	for p.pos < len(p.data) {
		switch c := p.data[p.pos]; {
		case c == '"':
			text := p.data[start:p.pos]
			if !utf8.Valid(text) {
				return "", p.fail("text that is not UTF-8, ending")
			}
			p.pos++
			return string(text), nil
		case c == '\\':
			return p.escaped(start)
		case c < ' ':
			return "", p.fail("control character in a string")
		}
		p.pos++
	}
	return "", p.fail("string without an end")
}

// escaped goes on with a string that began at start, from its first backslash.
func (p *parser) escaped(start int) (string, *Error) {
	text := append(make([]byte, 0, p.pos-start+32), p.data[start:p.pos]...)
	for p.pos < len(p.data) {
		c := p.data[p.pos]
		p.pos++
		switch {
		case c == '"':
			if !utf8.Valid(text) {
				return "", p.fail("text that is not UTF-8, ending")
			}
			return string(text), nil
		case c < ' ':
			return "", p.fail("control character in a string")
		case c != '\\':
			text = append(text, c)
			continue
		}
		if p.pos == len(p.data) {
			break
		}
		c = p.data[p.pos]
		p.pos++
		switch c {
		case '"', '\\', '/':
			text = append(text, c)
		case 'b':
			text = append(text, '\b')
		case 'f':
			text = append(text, '\f')
		case 'n':
			text = append(text, '\n')
		case 'r':
			text = append(text, '\r')
		case 't':
			text = append(text, '\t')
		case 'u':
			r, err := p.rune()
			if err != nil {
				return "", err
			}
			text = utf8.AppendRune(text, r)
		default:
			return "", p.fail("unknown escape in a string")
		}
	}
	return "", p.fail("string without an end")
}

// rune reads what follows \u, together with the other half if it is one.
func (p *parser) rune() (rune, *Error) {
	r, ok := p.hex4()
	if !ok {
		return 0, p.fail(`four hexadecimal digits expected after \u`)
	}
	if !utf16.IsSurrogate(r) {
		return r, nil
	}
	if p.word(`\u`) {
		if low, ok := p.hex4(); ok {
			if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
				return r, nil
			}
		}
	}
	return 0, p.fail("half of a surrogate pair, which is not valid Unicode,")
}

func (p *parser) hex4() (rune, bool) {
	if len(p.data)-p.pos < 4 {
		return 0, false
	}
	var r rune
	for _, c := range p.data[p.pos : p.pos+4] {
		r <<= 4
		switch {
		case '0' <= c && c <= '9':
			r |= rune(c - '0')
		case 'a' <= c && c <= 'f':
			r |= rune(c - 'a' + 10)
		case 'A' <= c && c <= 'F':
			r |= rune(c - 'A' + 10)
		default:
			return 0, false
		}
	}
	p.pos += 4
	return r, true
}
