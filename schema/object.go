package schema

import (
	"slices"
)

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

func (c *checker) fresh() *evaluated {
	if c.tracks {
		return &evaluated{}
	}
	return nil
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
					if !part(p.spec, v[name], c.below(s, at, name), c.fresh()) {
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
				} else if c.exact && s.python != "" {
					if fail("unknown key %s, expected %s", quote(name), s.python) {
						return true
					}
				} else if fail("%s", c.unknownWords(at, name, propertyNames(s))) {
					return true
				}
				continue
			}
			if !part(s.additional, v[name], c.below(s, at, name), c.fresh()) {
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

// below is the place of a key; one that is no str is written without quotes.
func (c *checker) below(s *spec, at *place, name string) *place {
	p := at.key(name, true)
	p.bare = c.exact && s.python != ""
	return p
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
