package value

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"
)

// raw splices JSON from elsewhere, after checking it. What means something else in the
// value encoding is rewritten: objects with the key "$", and text that is not Unicode.
func (e *encoder) raw(data []byte, depth int) *Error {
	if len(data) == 0 { // as encoding/json: a nil RawMessage is null
		e.text("null")
		return nil
	}
	if !json.Valid(data) {
		return problem("invalid JSON")
	}
	deepest, rewrite, long := inspect(data)
	if depth+deepest-1 > MaxDepth {
		return tooDeep()
	}
	if long {
		return problem("an integer has more than %d digits", MaxDigits)
	}
	if !rewrite && utf8.Valid(data) {
		e.buf = append(e.buf, data...)
		return nil
	}
	tokens := json.NewDecoder(bytes.NewReader(data))
	tokens.UseNumber()
	if err := e.transcode(tokens); err != nil && !errors.Is(err, io.EOF) {
		return &Error{Problem: "invalid JSON", Err: err} // not reached: it is valid
	}
	return nil
}

// inspect goes over valid JSON: how many containers are nested, whether a string is "$"
// or has a \u escape that could spell it or half a character, and whether a number is
// longer than the encoding takes.
func inspect(data []byte) (deepest int, rewrite, long bool) {
	depth, digits := 0, 0
	for i := 0; i < len(data); i++ {
		c := data[i]
		if '0' <= c && c <= '9' {
			digits++
			long = long || digits > MaxDigits
			continue
		}
		digits = 0
		switch c {
		case '[', '{':
			depth++
			deepest = max(deepest, depth)
		case ']', '}':
			depth--
		case '"':
			start := i + 1
			for i++; data[i] != '"'; i++ {
				if data[i] == '\\' {
					i++
					rewrite = rewrite || data[i] == 'u'
				}
			}
			rewrite = rewrite || string(data[start:i]) == "$"
		}
	}
	return deepest, rewrite, long
}

// transcode writes the next JSON value, member by member, in its order.
func (e *encoder) transcode(tokens *json.Decoder) error {
	token, err := tokens.Token()
	if err != nil {
		return err
	}
	switch token := token.(type) {
	case json.Number:
		e.text(token.String())
	case json.Delim:
		if token == '[' {
			return e.transcodeList(tokens)
		}
		return e.transcodeObject(tokens)
	default: // nil, bool or string
		if err := e.any(token, 0); err != nil {
			return err
		}
	}
	return nil
}

func (e *encoder) transcodeList(tokens *json.Decoder) error {
	e.buf = append(e.buf, '[')
	for i := 0; tokens.More(); i++ {
		if i > 0 {
			e.buf = append(e.buf, ',')
		}
		if err := e.transcode(tokens); err != nil {
			return err
		}
	}
	e.buf = append(e.buf, ']')
	_, err := tokens.Token()
	return err
}

func (e *encoder) transcodeObject(tokens *json.Decoder) error {
	type member struct{ key, value []byte }
	var members []member
	dollar := false
	for tokens.More() {
		key, err := tokens.Token()
		if err != nil {
			return err
		}
		name, _ := key.(string) // More and the parser leave nothing else
		inner := encoder{json: e.json}
		if err := inner.transcode(tokens); err != nil {
			return err
		}
		dollar = dollar || name == "$"
		members = append(members, member{appendString(nil, name), inner.buf})
	}
	o := e.open(dollar && !e.json)
	for _, m := range members {
		e.next(&o)
		e.buf = append(e.buf, m.key...)
		e.between(&o)
		e.buf = append(e.buf, m.value...)
		e.done(&o)
	}
	e.close(&o)
	_, err := tokens.Token()
	return err
}
