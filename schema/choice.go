package schema

import (
	"fmt"
	"slices"
	"strings"
)

// maxReasons bounds the alternatives of which it is told why they do not fit.
const maxReasons = 3

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
			} else if reasons := c.reasons(group.variants, v, at); len(reasons) == 1 {
				out.add(reasons[0])
			} else if len(reasons) > 1 {
				fail("none of the alternatives fits: %s", strings.Join(reasons, ", or "))
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
		if !c.fitsType(m, v) || m.hasEnum && !containsValue(m.enum, v) && len(variants) > 1 && len(m.enum) < 2 {
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

func (c *checker) fitsType(m *merged, v any) bool {
	return !m.never && (len(m.types) == 0 || c.hasType(m.types, v))
}

// reasons says why each of the variants that are of the value's type does not fit, with the
// first problem of each. Choices within them are not taken apart so: that could multiply.
func (c *checker) reasons(variants []*spec, v any, at *place) []string {
	if c.reasoning || c.steps > maxCheckSteps/2 {
		return nil
	}
	c.reasoning = true
	defer func() { c.reasoning = false }()
	if reason := c.discriminator(variants, v, at); reason != "" {
		return []string{reason}
	}
	var reasons []string
	more := 0
	for _, variant := range variants {
		m := gather(conjunction(variant))
		if !c.fitsType(m, v) || m.hasEnum && !containsValue(m.enum, v) {
			continue
		}
		why := &problemList{}
		c.check(variant, v, at, why, nil)
		switch {
		case len(why.list) == 0 || slices.Contains(reasons, why.list[0]):
		case len(reasons) == maxReasons:
			more++
		default:
			reasons = append(reasons, why.list[0])
		}
	}
	if more > 0 {
		reasons = append(reasons, fmt.Sprintf("%d more", more))
	}
	return reasons
}

// discriminator finds the member that tells the variants apart by constants, and has none of
// them, and says what it may be.
func (c *checker) discriminator(variants []*spec, v any, at *place) string {
	obj, ok := v.(map[string]any)
	if !ok {
		return ""
	}
	for _, name := range sortedKeys(obj) {
		var known []any
		for _, variant := range variants {
			enum := constantsOf(gather(conjunction(variant)), name)
			if enum == nil {
				known = nil
				break
			}
			known = append(known, enum...)
		}
		if len(known) > 0 && !containsValue(known, obj[name]) {
			return c.at(at.key(name, false)) + fmt.Sprintf("expected %s, got %s%s", showChoices(known), show(obj[name]), didYouMean(obj[name], known))
		}
	}
	return ""
}

// constantsOf gives what a member may be, if that is listed.
func constantsOf(m *merged, name string) []any {
	for _, p := range m.props {
		for _, s := range p.specs {
			if p.name == name && s.hasEnum {
				return s.enum
			}
		}
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
