package schema

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/codemode-sdk/codemode/internal/value"
)

// A place is a path into the value, from the inside out. Nil is the root.
type place struct {
	up      *place
	name    string
	index   int // of an item; -1 for a key
	maybe   bool
	nesting int
	bare    bool // the key is no str
}

func (p *place) depth() int {
	if p == nil {
		return 0
	}
	return p.nesting
}

func (p *place) optional() bool { return p != nil && p.maybe }

func (p *place) key(name string, optional bool) *place {
	return &place{up: p, name: name, index: -1, maybe: optional, nesting: p.depth() + 1}
}

func (p *place) item(i int) *place { return &place{up: p, index: i, nesting: p.depth() + 1} }

// at writes the path as Python reaches it: filters[0]['name'].
func (c *checker) at(p *place) string {
	if p == nil {
		return ""
	}
	return c.path(p) + ": "
}

func (c *checker) path(p *place) string {
	var parts []string
	for ; p != nil; p = p.up {
		switch {
		case p.index >= 0:
			parts = append(parts, "["+strconv.Itoa(p.index)+"]")
		case p.up == nil && c.arguments:
			name, ok := c.python[p.name]
			if !ok {
				name = shorten(clean(p.name), maxShownValue)
			}
			parts = append(parts, name)
		case p.bare:
			parts = append(parts, "["+shorten(clean(p.name), maxShownValue)+"]")
		default:
			parts = append(parts, "["+quote(p.name)+"]")
		}
		if len(parts) > 24 {
			parts = append(parts, "...")
			break
		}
	}
	slices.Reverse(parts)
	return strings.Join(parts, "")
}

func (c *checker) missing(at *place, name string) string {
	if at == nil && c.arguments {
		if p, ok := c.python[name]; ok {
			name = p
		}
		return "missing required argument " + quote(name)
	}
	return "missing required key " + quote(name)
}

func (c *checker) unknown(at *place, name string, known []string) string {
	return c.at(at) + c.unknownWords(at, name, known)
}

func (c *checker) unknownWords(at *place, name string, known []string) string {
	kind := "key"
	if at == nil && c.arguments {
		kind = "argument"
	}
	words := "unknown " + kind + " " + quote(name)
	if n := near(name, known); n != "" {
		return words + ", did you mean " + quote(n) + "?"
	}
	switch {
	case len(known) == 0 && kind == "argument":
		return words + ", it takes none"
	case len(known) == 0:
		return words
	case len(known) > 12:
		known = append(slices.Clone(known[:12]), "...")
	}
	for i := range known {
		known[i] = shorten(clean(known[i]), maxShownValue)
	}
	return words + ", it takes " + strings.Join(known, ", ")
}

// A problemList collects violations, each once.
type problemList struct {
	list []string
	more int
}

func (p *problemList) add(text string) {
	if slices.Contains(p.list, text) {
		return
	}
	if len(p.list) == MaxProblems {
		p.more++
		return
	}
	p.list = append(p.list, text)
}

func (p *problemList) text() string {
	s := strings.Join(p.list, "; ")
	if p.more > 0 {
		s += fmt.Sprintf("; and %d more", p.more)
	}
	return s
}

// show writes a value as Python would, with its type where that is what matters, bounded.
func show(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		if v {
			return "bool True"
		}
		return "bool False"
	case string:
		return "str " + quote(v)
	case value.Text:
		if v.Python == "bytes" {
			return v.Python
		}
		return v.Python + " " + shorten(clean(v.Text), maxShownValue)
	case []any:
		return "list of " + count(len(v), "item")
	case map[string]any:
		return "dict of " + count(len(v), "key")
	case float64:
		return "float " + floatText(v)
	case int64, int:
		return fmt.Sprintf("int %d", v)
	case json.Number:
		kind := "int "
		if strings.ContainsAny(string(v), ".eE") {
			kind = "float "
		}
		return kind + shorten(string(v), maxShownValue)
	}
	return fmt.Sprintf("a value that is not JSON (%T)", v)
}

func floatText(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	s := strconv.FormatFloat(f, 'g', -1, 64)
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return s
}

// showChoices lists the members of an enum.
func showChoices(values []any) string {
	if len(values) == 1 {
		return plainShow(values[0])
	}
	var parts []string
	for i, v := range values {
		if i == 12 {
			parts = append(parts, fmt.Sprintf("... (%d in all)", len(values)))
			break
		}
		parts = append(parts, plainShow(v))
	}
	if len(parts) == 0 {
		return "no value at all"
	}
	return "one of " + strings.Join(parts, ", ")
}

// plainShow is show without the type, for values that stand among their like.
func plainShow(v any) string {
	s := show(v)
	for _, prefix := range []string{"str ", "int ", "float ", "bool "} {
		if rest, ok := strings.CutPrefix(s, prefix); ok {
			return rest
		}
	}
	return s
}

func didYouMean(v any, values []any) string {
	s, ok := v.(string)
	if !ok {
		return ""
	}
	var names []string
	for _, v := range values {
		if name, ok := v.(string); ok {
			names = append(names, name)
		}
	}
	if n := near(s, names); n != "" {
		return ", did you mean " + quote(n) + "?"
	}
	return ""
}

func quote(s string) string { return pythonString(shorten(s, maxShownValue)) }

func shorten(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	r := []rune(s)
	if len(r) <= limit {
		return s
	}
	return string(r[:limit-3]) + "..."
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

func keyRule(s *spec) string {
	m := gather(conjunction(s))
	if m.hasEnum {
		return ", expected " + showChoices(m.enum)
	}
	if s.patternSrc != "" {
		return ", keys match " + shorten(clean(s.patternSrc), 200)
	}
	return ""
}
