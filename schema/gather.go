package schema

import "slices"

// conjunction lists every schema that a value under the given ones must meet without any
// choice: themselves, what they refer to, and their allOf.
func conjunction(specs ...*spec) []*spec {
	var list []*spec
	seen := map[*spec]bool{}
	var add func(*spec)
	add = func(s *spec) {
		if s == nil || seen[s] {
			return
		}
		seen[s] = true
		list = append(list, s)
		add(s.target)
		add(s.dynamic)
		for _, c := range s.allOf {
			add(c)
		}
	}
	for _, s := range specs {
		add(s)
	}
	return list
}

// merged is what a conjunction says about a value, taken together.
type merged struct {
	never    bool
	types    []string // empty: any
	nullable bool
	enum     []any
	hasEnum  bool

	props    []mergedProperty
	index    map[string]int
	required map[string]bool
	closed   bool    // additionalProperties false
	open     []*spec // additionalProperties given otherwise
	anything bool    // ... as true or {}
	patterns []*spec
	key      string // the Python type of keys, if a mark gives it

	prefix [][]*spec
	items  []*spec
	array  bool // some keyword of arrays is there

	choices []choice
}

type mergedProperty struct {
	name  string
	specs []*spec // all of them apply
	alts  []*spec // if specs is empty: one or the other, depending on the branch
}

// A choice is an anyOf or oneOf.
type choice struct {
	choiceKey
	variants []*spec
}

type choiceKey struct {
	owner *spec
	oneOf bool
}

func (k choiceKey) variants() []*spec {
	if k.oneOf {
		return k.owner.oneOf
	}
	return k.owner.anyOf
}

func (m *merged) extra() bool {
	return len(m.patterns) > 0 || !m.closed && len(m.open) > 0
}

// gather merges a conjunction. Properties that only some branch of a choice or condition
// mentions come after the others and are required only if every branch of a choice
// requires them.
//
// Choices in done have been made: one variant is among the atoms and the others are out.
func gather(atoms []*spec, done ...choiceKey) *merged {
	m := &merged{index: map[string]int{}, required: map[string]bool{}}
	for _, s := range atoms {
		m.add(s)
	}
	for _, s := range atoms {
		if len(s.anyOf) > 0 && !slices.Contains(done, choiceKey{s, false}) {
			m.choices = append(m.choices, choice{choiceKey{s, false}, s.anyOf})
		}
		if len(s.oneOf) > 0 && !slices.Contains(done, choiceKey{s, true}) {
			m.choices = append(m.choices, choice{choiceKey{s, true}, s.oneOf})
		}
	}
	seen := map[*spec]bool{}
	for _, s := range atoms {
		seen[s] = true
	}
	for _, s := range atoms {
		m.addLoose(s, seen, done)
	}
	for _, c := range m.choices {
		m.requireCommon(c)
	}
	names := []string{}
	for name := range m.required {
		if _, ok := m.index[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		m.property(name)
	}
	return m
}

func (m *merged) add(s *spec) {
	m.never = m.never || s.never
	if len(s.types) > 0 {
		m.types = intersectTypes(m.types, s.types, &m.never)
	}
	m.nullable = m.nullable || s.nullable
	if s.hasEnum {
		if !m.hasEnum {
			m.enum, m.hasEnum = s.enum, true
		} else {
			var both []any
			for _, v := range m.enum {
				if containsValue(s.enum, v) {
					both = append(both, v)
				}
			}
			m.enum = both
		}
	}
	for _, p := range s.props {
		i := m.property(p.name)
		m.props[i].specs = append(m.props[i].specs, p.spec)
	}
	for _, name := range s.required {
		m.required[name] = true
	}
	for _, p := range s.patterns {
		m.patterns = append(m.patterns, p.spec)
	}
	if s.python != "" {
		m.key = s.python
	}
	if a := s.additional; a != nil {
		switch {
		case a.never:
			m.closed = true
		default:
			m.open = append(m.open, a)
			m.anything = m.anything || a.isTrue()
		}
	}
	for i, p := range s.prefix {
		if i == len(m.prefix) {
			m.prefix = append(m.prefix, nil)
		}
		m.prefix[i] = append(m.prefix[i], p)
	}
	if s.items != nil {
		m.items = append(m.items, s.items)
	}
	m.array = m.array || s.items != nil || len(s.prefix) > 0 || s.contains != nil || s.minItems != nil || s.maxItems != nil || s.unique
}

// addLoose takes the properties of branches that need not apply.
func (m *merged) addLoose(s *spec, seen map[*spec]bool, done []choiceKey) {
	for _, key := range done {
		for _, v := range key.variants() {
			if key.owner == s {
				seen[v] = true
			}
		}
	}
	s.inPlace(func(c *spec) {
		if c == s.not || seen[c] {
			return
		}
		seen[c] = true
		for _, p := range c.props {
			if i := m.property(p.name); len(m.props[i].specs) == 0 {
				m.props[i].alts = append(m.props[i].alts, p.spec)
			}
		}
		if c.additional != nil && !c.additional.never {
			m.open = append(m.open, c.additional)
			m.anything = m.anything || c.additional.isTrue()
		}
		m.addLoose(c, seen, done)
	})
}

func (m *merged) requireCommon(c choice) {
	var common map[string]bool
	for i, v := range c.variants {
		names := map[string]bool{}
		for _, s := range conjunction(v) {
			for _, name := range s.required {
				if i == 0 || common[name] {
					names[name] = true
				}
			}
		}
		common = names
	}
	for name := range common {
		m.required[name] = true
	}
}

func (m *merged) property(name string) int {
	if i, ok := m.index[name]; ok {
		return i
	}
	m.index[name] = len(m.props)
	m.props = append(m.props, mergedProperty{name: name})
	return len(m.props) - 1
}

// intersectTypes knows that integer is a part of number.
func intersectTypes(a, b []string, never *bool) []string {
	if len(a) == 0 {
		return b
	}
	var both []string
	for _, t := range a {
		switch {
		case slices.Contains(b, t), t == "integer" && slices.Contains(b, "number"):
			both = append(both, t)
		case t == "number" && slices.Contains(b, "integer"):
			both = append(both, "integer")
		}
	}
	if len(both) == 0 {
		*never = true
	}
	return both
}

// isTrue says whether the schema allows every value and says nothing about it.
func (s *spec) isTrue() bool {
	return !s.never && len(s.types) == 0 && !s.hasEnum && len(s.props) == 0 && len(s.patterns) == 0 &&
		s.additional == nil && s.items == nil && len(s.prefix) == 0 && s.target == nil && s.dynamic == nil &&
		len(s.allOf)+len(s.anyOf)+len(s.oneOf)+len(s.required) == 0 && s.not == nil && s.cond == nil &&
		s.min == nil && s.max == nil && s.above == nil && s.below == nil && s.multiple == nil &&
		s.minLen == nil && s.maxLen == nil && s.patternSrc == "" && s.format == "" && s.doc == "" && s.encoding == ""
}
