package schema

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
