package schema

import "strings"

// words prints a type for an error or a note, without names that stand elsewhere.
func (t *pyType) words() string {
	var b strings.Builder
	t.write(&b, func(name string) string { return name }, func(d *decl) string {
		if d.dict {
			return "dict"
		}
		return "value"
	})
	return shorten(b.String(), 200)
}

func pythonWords(s *spec, exact bool) string { return pythonWordsOf([]*spec{s}, exact) }

func pythonWordsOf(variants []*spec, exact bool) string {
	b := &typer{input: true, exact: exact}
	var words []string
	for _, v := range variants {
		t := b.of("value", v)
		for _, part := range strings.Split(t.words(), " | ") {
			if !contains(words, part) {
				words = append(words, part)
			}
		}
	}
	return shorten(strings.Join(words, " | "), 200)
}
