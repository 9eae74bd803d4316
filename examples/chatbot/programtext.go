package main

import (
	"strings"
	"unicode/utf16"
)

// A programText takes the program out of arguments that are still arriving:
// {"code": "..."}, in pieces that end anywhere. It is for showing: what runs is what
// codemode.Program finds in the whole.
type programText struct {
	pending string // what could not be decided yet
	state   programState
	high    rune // the first half of a character that is written as two escapes
}

type programState int

const (
	beforeProgram programState = iota
	inString                   // of the JSON value
	plainProgram               // no JSON at all
	afterProgram
)

// add gives what the piece adds to the program.
func (p *programText) add(piece string) string {
	p.pending += piece
	if p.state == beforeProgram {
		p.begin()
	}
	switch p.state {
	case plainProgram:
		text := p.pending
		p.pending = ""
		return text
	case inString:
		return p.unquote()
	case beforeProgram, afterProgram:
	}
	return ""
}

// begin looks for the start of the program.
func (p *programText) begin() {
	text := strings.TrimLeft(p.pending, " \t\r\n")
	if text == "" {
		return
	}
	if text[0] != '{' {
		p.state = plainProgram
		return
	}
	_, rest, found := strings.Cut(text, `"code"`)
	if !found {
		return
	}
	rest = strings.TrimLeft(rest, " \t\r\n")
	rest, colon := strings.CutPrefix(rest, ":")
	rest = strings.TrimLeft(rest, " \t\r\n")
	if colon && strings.HasPrefix(rest, `"`) {
		p.state, p.pending = inString, rest[1:]
	}
}

var escapes = map[byte]string{'n': "\n", 't': "\t", 'r': "\r", 'b': "\b", 'f': "\f"}

// unquote decodes as much of a JSON string as is there.
func (p *programText) unquote() string {
	var b strings.Builder
	for p.pending != "" {
		i := strings.IndexAny(p.pending, `\"`)
		if i < 0 {
			b.WriteString(p.pending)
			p.pending = ""
			break
		}
		b.WriteString(p.pending[:i])
		p.pending = p.pending[i:]
		if p.pending[0] == '"' {
			p.state, p.pending = afterProgram, ""
			break
		}
		if len(p.pending) < 2 {
			break
		}
		if p.pending[1] != 'u' {
			escaped, ok := escapes[p.pending[1]]
			if !ok {
				escaped = p.pending[1:2]
			}
			b.WriteString(escaped)
			p.pending = p.pending[2:]
			continue
		}
		if len(p.pending) < 6 {
			break
		}
		b.WriteString(p.character(p.pending[2:6]))
		p.pending = p.pending[6:]
	}
	return b.String()
}

// character decodes the four digits of an escape.
func (p *programText) character(digits string) string {
	var r rune
	for _, digit := range strings.ToLower(digits) {
		r = r<<4 | rune(max(strings.IndexRune("0123456789abcdef", digit), 0))
	}
	high := p.high
	p.high = 0
	if utf16.IsSurrogate(r) {
		if high == 0 {
			p.high = r
			return ""
		}
		return string(utf16.DecodeRune(high, r))
	}
	return string(r)
}
