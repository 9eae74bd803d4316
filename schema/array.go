package schema

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
