package schema

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/internal/value"
)

// Validate checks the arguments of one call: a tree of nil, bool, int64, float64,
// json.Number, string, []any and map[string]any. The error, with the code fault.Invalid,
// lists up to MaxProblems violations in the words of the Python stub. Arguments that the
// schema does not mention are refused unless ExtraArguments. Work and depth are bounded
// (MaxInstanceDepth); a value that exceeds the bound is refused.
func (s *Schema) Validate(instance any) error {
	s.prepare()
	c := s.newChecker()
	c.arguments = true
	c.python = make(map[string]string, len(s.params))
	for _, p := range s.params {
		c.python[p.Name] = p.PythonName
	}
	problems := &problemList{}
	c.check(s.root, instance, nil, problems, nil)
	if m, ok := instance.(map[string]any); ok && !s.extra {
		for _, name := range sortedKeys(m) {
			if _, ok := c.python[name]; !ok {
				problems.add(c.unknown(nil, name, s.argumentNames()))
			}
		}
	}
	return c.verdict(problems)
}

// ValidateValue checks any value, such as a tool's result, against the schema as JSON
// Schema defines it. Otherwise it is as Validate.
func (s *Schema) ValidateValue(instance any) error {
	c := s.newChecker()
	problems := &problemList{}
	c.check(s.root, instance, nil, problems, nil)
	return c.verdict(problems)
}

func (s *Schema) argumentNames() []string {
	names := make([]string, len(s.params))
	for i, p := range s.params {
		names[i] = p.PythonName
	}
	return names
}

func (s *Schema) newChecker() *checker {
	return &checker{tracks: s.root.tracks, exact: s.exact, memo: map[memoKey]bool{}}
}

// A memoKey is a schema and the value it was tried on: a container by its identity, a
// scalar by its place.
type memoKey struct {
	spec    *spec
	at      *place
	pointer uintptr
	length  int
}

// A checker holds the state of one validation. Schemas that only decide between branches
// are tried without a problem list: they stop at the first violation, and what they found
// is remembered, so that nested choices cannot multiply.
type checker struct {
	arguments bool // the root is a call
	python    map[string]string
	exact     bool
	tracks    bool
	steps     int
	exhausted bool
	tooDeep   bool
	reasoning bool // why alternatives do not fit is being found out
	memo      map[memoKey]bool
}

func (c *checker) verdict(p *problemList) error {
	switch {
	case c.tooDeep:
		return fault.New(fault.Invalid, "the value nests deeper than %d levels", MaxInstanceDepth)
	case c.exhausted:
		return fault.New(fault.Invalid, "the value is too large to be checked against this schema")
	case len(p.list) > 0:
		return fault.New(fault.Invalid, "%s", p.text())
	}
	return nil
}

// trial says whether v meets s.
func (c *checker) trial(s *spec, v any, at *place, ev *evaluated) bool {
	if ev != nil {
		return c.check(s, v, at, nil, ev)
	}
	key, ok := memoKeyOf(s, v, at)
	if ok {
		if known, hit := c.memo[key]; hit {
			return known
		}
	}
	good := c.check(s, v, at, nil, nil)
	if ok && !c.exhausted {
		c.memo[key] = good
	}
	return good
}

func memoKeyOf(s *spec, v any, at *place) (memoKey, bool) {
	switch v := v.(type) {
	case map[string]any:
		return memoKey{s, nil, reflect.ValueOf(v).Pointer(), -1}, v != nil
	case []any:
		return memoKey{s, nil, reflect.ValueOf(v).Pointer(), len(v)}, len(v) > 0
	}
	// Simple alternatives are cheaper to try again than to remember.
	return memoKey{s, at, 0, 0}, len(s.anyOf)+len(s.oneOf) > 0
}

// check applies one schema to one value. With a problem list it goes on after a
// violation; without one it stops.
func (c *checker) check(s *spec, v any, at *place, out *problemList, ev *evaluated) bool {
	if c.steps++; c.steps > maxCheckSteps {
		c.exhausted = true
	}
	if at.depth() > MaxInstanceDepth {
		c.tooDeep = true
	}
	if c.exhausted || c.tooDeep {
		return false
	}
	var own *evaluated
	if c.tracks {
		own = &evaluated{}
	}
	ok := true
	fail := func(format string, args ...any) bool {
		ok = false
		if out != nil {
			out.add(c.at(at) + fmt.Sprintf(format, args...))
			return false
		}
		return true
	}
	// part continues with another schema for the same value, or one below it.
	part := func(s *spec, v any, at *place, ev *evaluated) bool {
		if out == nil {
			if !c.trial(s, v, at, ev) {
				ok = false
			}
			return ok
		}
		if !c.check(s, v, at, out, ev) {
			ok = false
		}
		return true
	}
	if s.never {
		fail("no value is allowed here")
		return false
	}
	if v == nil && s.nullable && !slices.Contains(s.types, "null") {
		return true
	}
	for _, ref := range []*spec{s.target, s.dynamic} {
		if ref != nil && !part(ref, v, at, own) {
			return false
		}
	}
	text, isText := v.(value.Text)
	// Bytes are text where JSON has nothing else, but not where Go takes them for what they are.
	misread := isText && c.exact && text.Python == "bytes" && s.python == ""
	if len(s.types) > 0 && (misread || !c.hasType(s.types, v)) {
		if out == nil {
			return false // without the cost of finding words
		}
		c.wrongType(s, v, at, fail)
		return false // everything below would only repeat it
	}
	if s.hasEnum && !containsValue(s.enum, v) {
		if out == nil {
			return false
		}
		fail("expected %s, got %s%s", showChoices(s.enum), show(v), didYouMean(v, s.enum))
	}
	switch v := v.(type) {
	case string:
		if c.checkString(s, v, fail) {
			return false
		}
	case value.Text:
		if c.checkString(s, v.Text, fail) {
			return false
		}
	case map[string]any:
		if c.checkObject(s, v, at, fail, part, own, out != nil) {
			return false
		}
	case []any:
		if c.checkArray(s, v, at, fail, part, own) {
			return false
		}
	default:
		if n := numberOf(v); n != nil && c.checkNumber(s, n, v, fail) {
			return false
		}
	}
	for _, a := range s.allOf {
		if !part(a, v, at, own) {
			return false
		}
	}
	if !c.checkChoices(s, v, at, out, own, fail) {
		ok = false
	}
	if !ok && out == nil {
		return false
	}
	if s.not != nil && c.trial(s.not, v, at, c.fresh()) {
		if fail("%s is a value that is not allowed here", show(v)) {
			return false
		}
	}
	if s.cond != nil {
		mark := c.fresh()
		branch := s.no
		if c.trial(s.cond, v, at, mark) {
			own.merge(mark)
			branch = s.yes
		}
		if branch != nil && !part(branch, v, at, own) {
			return false
		}
	}
	if own != nil {
		if c.checkUnevaluated(s, v, at, fail, part, own) {
			return false
		}
		ev.merge(own)
	}
	return ok
}

type (
	failFunc func(format string, args ...any) bool // true: stop
	partFunc func(s *spec, v any, at *place, ev *evaluated) bool
)
