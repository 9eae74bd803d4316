package value

import (
	"fmt"
	"math/big"
	"strconv"
	"time"
)

// Decimal is the text of a Python decimal.Decimal, such as "1.50", "1E+10" or "NaN".
type Decimal string

// Scalar is a Python value that no Go type holds exactly.
type Scalar struct {
	// Kind is "date", "time", "datetime" (one without a timezone), "uuid" or
	// "timedelta" (one beyond time.Duration).
	Kind string
	// Text is the value as Python's isoformat() or str() gives it; for "timedelta" its
	// microseconds in decimal.
	Text string
}

// Set is a Python set or frozenset.
type Set []any

// Dict is a Python dictionary with a key that is not a string, in the dictionary's order.
type Dict []DictItem

// DictItem is one entry of a Dict.
type DictItem struct{ Key, Value any }

// Error says which part of a value cannot be encoded, decoded or stored, and why.
type Error struct {
	// Path leads to the part, as in ".rows[3].when". It is empty for the value itself.
	Path string
	// Problem says what is wrong, without the path and without Err's text.
	Problem string
	// Err is the cause; may be nil.
	Err error
}

// Error gives path, problem and cause in one line.
func (e *Error) Error() string {
	s := e.Problem
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	if e.Path != "" {
		s = e.Path + ": " + s
	}
	return s
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

func problem(format string, args ...any) *Error {
	return &Error{Problem: fmt.Sprintf(format, args...)}
}

// within puts a step in front of an error's path, on the way out of a container.
func within(err *Error, step string) *Error {
	err.Path = step + err.Path
	return err
}

func indexStep(i int) string { return "[" + strconv.Itoa(i) + "]" }

// maxStep bounds a key inside a path, so that an error stays a sentence.
const maxStep = 40

func nameStep(name string) string {
	if isWord(name) && len(name) <= maxStep {
		return "." + name
	}
	return "[" + strconv.Quote(shorten(name)) + "]"
}

func shorten(s string) string {
	runes := 0
	for i := range s {
		if runes == maxStep {
			return s[:i] + "..."
		}
		runes++
	}
	return s
}

func isWord(s string) bool {
	for i := range len(s) {
		c := s[i]
		switch {
		case c == '_', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		case '0' <= c && c <= '9' && i > 0:
		default:
			return false
		}
	}
	return s != ""
}

// keyText spells a dictionary key as Python's json module does, and others as their text.
func keyText(key any) string {
	switch key := key.(type) {
	case nil:
		return "null"
	case string:
		return key
	case bool:
		return strconv.FormatBool(key)
	case int64:
		return strconv.FormatInt(key, 10)
	case *big.Int:
		return key.String()
	}
	switch plain := Plain(key).(type) {
	case string:
		return plain
	default:
		text, err := JSON(plain)
		if err != nil { // not for anything that Decode gives
			return fmt.Sprint(plain)
		}
		return string(text)
	}
}

// pythonType names a decoded value's type as a Python program knows it.
func pythonType(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		return "bool"
	case int64, *big.Int:
		return "int"
	case float64:
		return "float"
	case string:
		return "str"
	case []byte:
		return "bytes"
	case Decimal:
		return "Decimal"
	case time.Time:
		return "datetime"
	case time.Duration:
		return "timedelta"
	case complex128:
		return "complex"
	case []any:
		return "list"
	case Set:
		return "set"
	case map[string]any, Dict:
		return "dict"
	case Scalar:
		switch v.Kind {
		case "datetime":
			return "datetime without a timezone"
		case "uuid":
			return "UUID"
		}
		return v.Kind
	}
	return fmt.Sprintf("%T", v)
}
