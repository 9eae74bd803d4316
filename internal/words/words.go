// Package words takes names and descriptions apart into the words they are made of.
package words

import (
	"strings"
	"unicode"
)

// Split gives the words of a name or a text, in lower case: aCamelName has three, and so
// has one-more_name.
func Split(text string) []string {
	var list []string
	var word strings.Builder
	end := func() {
		if word.Len() > 0 {
			list = append(list, word.String())
			word.Reset()
		}
	}
	lower := false
	for _, r := range text {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			end()
		case unicode.IsUpper(r) && lower:
			end()
			fallthrough
		default:
			word.WriteRune(unicode.ToLower(r))
		}
		lower = unicode.IsLower(r)
	}
	end()
	return list
}

// SameStem says whether two words, in lower case, are forms of one: issue and issues,
// repo and repository.
func SameStem(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	return a == b || len(a) >= 3 && (strings.HasPrefix(b, a) || len(a) > 4 && strings.HasPrefix(b, a[:len(a)-1]))
}
