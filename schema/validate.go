package schema

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/codemode-sdk/codemode/internal/fault"
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
	memo      map[memoKey]bool
}

// evaluated collects what keywords have looked at, for unevaluatedProperties and
// unevaluatedItems.
type evaluated struct {
	props    map[string]bool
	allProps bool
	items    map[int]bool
	allItems bool
}

func (e *evaluated) prop(name string) {
	if e != nil {
		if e.props == nil {
			e.props = map[string]bool{}
		}
		e.props[name] = true
	}
}

func (e *evaluated) item(i int) {
	if e != nil {
		if e.items == nil {
			e.items = map[int]bool{}
		}
		e.items[i] = true
	}
}

func (e *evaluated) merge(o *evaluated) {
	if e == nil || o == nil {
		return
	}
	e.allProps, e.allItems = e.allProps || o.allProps, e.allItems || o.allItems
	for k := range o.props {
		e.prop(k)
	}
	for i := range o.items {
		e.item(i)
	}
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
	if len(s.types) > 0 && !c.hasType(s.types, v) {
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

func (c *checker) fresh() *evaluated {
	if c.tracks {
		return &evaluated{}
	}
	return nil
}

type (
	failFunc func(format string, args ...any) bool // true: stop
	partFunc func(s *spec, v any, at *place, ev *evaluated) bool
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
		case string:
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

func (c *checker) checkArray(s *spec, v []any, at *place, fail failFunc, part partFunc, ev *evaluated) bool {
	if s.minItems != nil && len(v) < *s.minItems && fail("expected at least %s, got %d", count(*s.minItems, "item"), len(v)) {
		return true
	}
	if s.maxItems != nil && len(v) > *s.maxItems && fail("expected at most %s, got %d", count(*s.maxItems, "item"), len(v)) {
		return true
	}
	if s.unique {
		seen := make(map[string]int, len(v))
		for i, item := range v {
			print := fingerprintOf(item)
			if first, dup := seen[print]; dup {
				if fail("items %d and %d are the same, %s", first, i, show(item)) {
					return true
				}
				break
			}
			seen[print] = i
		}
	}
	found := 0
	for i, item := range v {
		below := at.item(i)
		switch {
		case i < len(s.prefix):
			if !part(s.prefix[i], item, below, c.fresh()) {
				return true
			}
			ev.item(i)
		case s.items != nil:
			if !part(s.items, item, below, c.fresh()) {
				return true
			}
			ev.item(i)
		}
		if s.contains != nil && c.trial(s.contains, item, below, c.fresh()) {
			found++
			ev.item(i)
		}
	}
	if s.contains != nil {
		least := 1
		if s.minContains != nil {
			least = *s.minContains
		}
		if found < least && fail("expected at least %s of the kind asked for, got %d", count(least, "item"), found) {
			return true
		}
		if s.maxContains != nil && found > *s.maxContains && fail("expected at most %s of the kind asked for, got %d", count(*s.maxContains, "item"), found) {
			return true
		}
	}
	return false
}

func (c *checker) checkObject(s *spec, v map[string]any, at *place, fail failFunc, part partFunc, ev *evaluated, full bool) bool {
	if s.minProps != nil && len(v) < *s.minProps && fail("expected at least %s, got %d", count(*s.minProps, "key"), len(v)) {
		return true
	}
	if s.maxProps != nil && len(v) > *s.maxProps && fail("expected at most %s, got %d", count(*s.maxProps, "key"), len(v)) {
		return true
	}
	missing := func(names []string, why string) bool {
		for _, name := range names {
			if _, ok := v[name]; !ok && fail("%s%s", c.missing(at, name), why) {
				return true
			}
		}
		return false
	}
	if missing(s.required, "") {
		return true
	}
	for _, p := range s.props {
		if item, ok := v[p.name]; ok {
			if !part(p.spec, item, at.key(p.name, !slices.Contains(s.required, p.name)), c.fresh()) {
				return true
			}
			ev.prop(p.name)
		}
	}
	if len(s.patterns) > 0 || s.additional != nil || s.propNames != nil {
		for _, name := range sortedKeys(v) {
			_, known := s.propIndex[name]
			for _, p := range s.patterns {
				if p.re == nil {
					known = true // cannot be told apart, so nothing may be refused
				} else if p.re.MatchString(name) {
					known = true
					if !part(p.spec, v[name], at.key(name, true), c.fresh()) {
						return true
					}
					ev.prop(name)
				}
			}
			if s.propNames != nil && !c.trial(s.propNames, name, at, c.fresh()) && fail("%s is not allowed as a key%s", show(name), keyRule(s.propNames)) {
				return true
			}
			if known || s.additional == nil {
				continue
			}
			if s.additional.never {
				if at == nil && c.arguments && full {
					if fail("%s", c.unknownWords(at, name, c.spellings(s))) {
						return true
					}
				} else if fail("%s", c.unknownWords(at, name, propertyNames(s))) {
					return true
				}
				continue
			}
			if !part(s.additional, v[name], at.key(name, true), c.fresh()) {
				return true
			}
			ev.prop(name)
		}
	}
	for _, d := range s.depends {
		if _, ok := v[d.on]; !ok {
			continue
		}
		if missing(d.required, ", needed with "+quote(d.on)) {
			return true
		}
		if d.spec != nil && !part(d.spec, v, at, ev) {
			return true
		}
	}
	return false
}

func (c *checker) checkUnevaluated(s *spec, v any, at *place, fail failFunc, part partFunc, ev *evaluated) bool {
	switch v := v.(type) {
	case map[string]any:
		if s.restProps == nil {
			return false
		}
		for _, name := range sortedKeys(v) {
			if ev.allProps || ev.props[name] {
				continue
			}
			if s.restProps.never {
				if fail("%s", c.unknownWords(at, name, propertyNames(s))) {
					return true
				}
			} else if !part(s.restProps, v[name], at.key(name, true), c.fresh()) {
				return true
			}
		}
		ev.allProps = true
	case []any:
		if s.restItems == nil {
			return false
		}
		for i, item := range v {
			if !ev.allItems && !ev.items[i] && !part(s.restItems, item, at.item(i), c.fresh()) {
				return true
			}
		}
		ev.allItems = true
	}
	return false
}

// checkChoices handles anyOf and oneOf. Where exactly one variant could be meant, its
// violations are what is reported.
func (c *checker) checkChoices(s *spec, v any, at *place, out *problemList, ev *evaluated, fail failFunc) bool {
	ok := true
	for _, group := range []struct {
		variants []*spec
		one      bool
	}{{s.anyOf, false}, {s.oneOf, true}} {
		if len(group.variants) == 0 {
			continue
		}
		good := 0
		for _, variant := range group.variants {
			mark := c.fresh()
			if c.trial(variant, v, at, mark) {
				good++
				ev.merge(mark)
				if !group.one && !c.tracks {
					break
				}
			}
		}
		switch {
		case good == 0:
			ok = false
			if out == nil {
				return false
			}
			if meant := c.meant(group.variants, v); meant != nil {
				c.check(meant, v, at, out, nil)
			} else {
				words := pythonWordsOf(group.variants, c.exact)
				fail("expected %s, got %s", words, show(v))
			}
		case good > 1 && group.one:
			ok = false
			if out == nil {
				return false
			}
			fail("%s fits %d of the alternatives %s, where it must fit one", show(v), good, pythonWordsOf(group.variants, c.exact))
		}
	}
	return ok
}

// meant finds the only variant whose type, and whose constant members, fit the value.
func (c *checker) meant(variants []*spec, v any) *spec {
	var fits []*spec
	for _, variant := range variants {
		m := gather(conjunction(variant))
		if m.never || len(m.types) > 0 && !c.hasType(m.types, v) || m.hasEnum && !containsValue(m.enum, v) && len(variants) > 1 && len(m.enum) < 2 {
			continue
		}
		if obj, ok := v.(map[string]any); ok && !constantsFit(m, obj) {
			continue
		}
		fits = append(fits, variant)
	}
	if len(fits) == 1 {
		return fits[0]
	}
	return nil
}

func constantsFit(m *merged, obj map[string]any) bool {
	for _, p := range m.props {
		for _, s := range p.specs {
			if value, ok := obj[p.name]; ok && s.hasEnum && !containsValue(s.enum, value) {
				return false
			}
		}
	}
	return true
}

func propertyNames(s *spec) []string {
	names := make([]string, len(s.props))
	for i, p := range s.props {
		names[i] = p.name
	}
	return names
}

// spellings are the Python names of an object's properties.
func (c *checker) spellings(s *spec) []string {
	names := propertyNames(s)
	for i, name := range names {
		if p, ok := c.python[name]; ok {
			names[i] = p
		}
	}
	return names
}
