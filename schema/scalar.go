package schema

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/codemode-sdk/codemode/internal/value"
)

func (c *checker) hasType(types []string, v any) bool {
	for _, t := range types {
		switch v := v.(type) {
		case nil:
			if t == "null" {
				return true
			}
		case bool:
			if t == "boolean" {
				return true
			}
		case string, value.Text:
			if t == "string" {
				return true
			}
		case []any:
			if t == "array" {
				return true
			}
		case map[string]any:
			if t == "object" {
				return true
			}
		default:
			if t != "number" && t != "integer" {
				continue
			}
			if n := numberOf(v); n != nil && (t == "number" || n.isInteger()) {
				return true
			}
		}
	}
	return false
}

// wrongType knows the two mistakes models make most: JSON text in place of the value, and
// None in place of leaving an argument out.
func (c *checker) wrongType(s *spec, v any, at *place, fail failFunc) {
	hint := ""
	switch v := v.(type) {
	case nil:
		if at.optional() {
			hint = " (leave it out instead)"
		}
	case string:
		trimmed := strings.TrimSpace(v)
		if (slices.Contains(s.types, "object") && strings.HasPrefix(trimmed, "{") || slices.Contains(s.types, "array") && strings.HasPrefix(trimmed, "[")) && json.Valid([]byte(trimmed)) {
			hint = " (pass the value itself, not JSON text)"
		}
	}
	fail("expected %s, got %s%s", pythonWords(s, c.exact), show(v), hint)
}

func (c *checker) checkString(s *spec, v string, fail failFunc) bool {
	if s.minLen != nil || s.maxLen != nil {
		n := utf8.RuneCountInString(v)
		if s.minLen != nil && n < *s.minLen && fail("expected at least %s, got %s", count(*s.minLen, "character"), show(v)) {
			return true
		}
		if s.maxLen != nil && n > *s.maxLen && fail("expected at most %s, got %d", count(*s.maxLen, "character"), n) {
			return true
		}
	}
	if s.pattern != nil && !s.pattern.MatchString(v) {
		return fail("expected text matching %s, got %s", shorten(clean(s.patternSrc), 200), show(v))
	}
	return false
}

func (c *checker) checkNumber(s *spec, n *number, v any, fail failFunc) bool {
	for _, bound := range []struct {
		limit *number
		bad   func(cmp int) bool
		words string
	}{
		{s.min, func(cmp int) bool { return cmp < 0 }, "at least"},
		{s.max, func(cmp int) bool { return cmp > 0 }, "at most"},
		{s.above, func(cmp int) bool { return cmp <= 0 }, "more than"},
		{s.below, func(cmp int) bool { return cmp >= 0 }, "less than"},
	} {
		if bound.limit == nil {
			continue
		}
		// NaN is not within any bound.
		if (bound.bad(n.cmp(bound.limit)) || n.f != n.f) && fail("expected %s %s, got %s", bound.words, shorten(bound.limit.text, maxShownValue), show(v)) {
			return true
		}
	}
	if s.multiple != nil && !n.isMultipleOf(s.multiple) {
		return fail("expected a multiple of %s, got %s", shorten(s.multiple.text, maxShownValue), show(v))
	}
	return false
}
