package schema

import (
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

var pythonKeywords = wordSet(`False None True and as assert async await break class continue def del elif else
	except finally for from global if import in is lambda nonlocal not or pass raise return try while with yield`)

func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(words) {
		set[w] = true
	}
	return set
}

// PythonName spells one name (of a tool, a namespace, a parameter) as a Python
// identifier. A name that can be used as it is stays the same, builtins such as id, type
// or sum included. Otherwise, in this order: the name is normalised as Python's parser
// does (NFKC); every character that no identifier may hold becomes an underscore;
// several leading underscores become one, so that nothing is a dunder or mangled inside a
// class; one is put before a digit; one is put after a keyword and after run and arun,
// which tools have as methods of their own. Dots are such characters too: split a
// namespaced name first.
func PythonName(name string) string {
	spelled := identifier(name)
	if spelled == "run" || spelled == "arun" {
		spelled += "_"
	}
	return spelled
}

// identifier is PythonName without the tools' own methods, for parameters and types.
func identifier(name string) string {
	var b strings.Builder
	for _, r := range norm.NFKC.String(strings.ToValidUTF8(name, "_")) {
		if identifierPart(r) {
			b.WriteRune(r)
		} else {
			b.WriteByte('_')
		}
	}
	s := b.String()
	if !norm.NFKC.IsNormalString(s) { // replacing one rune can make its neighbours compose
		s = norm.NFKC.String(s)
	}
	if rest := strings.TrimLeft(s, "_"); len(s)-len(rest) > 1 {
		s = "_" + rest
	}
	if s == "" {
		return "_"
	}
	if first := []rune(s)[0]; first != '_' && !identifierStart(first) {
		s = "_" + s
	}
	if pythonKeywords[s] {
		s += "_"
	}
	return s
}

func identifierStart(r rune) bool {
	if r < 0x80 {
		return r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
	}
	return knownToPython(r) && (unicode.IsLetter(r) || unicode.Is(unicode.Nl, r))
}

func identifierPart(r rune) bool {
	if r < 0x80 {
		return identifierStart(r) || r >= '0' && r <= '9'
	}
	return identifierStart(r) || knownToPython(r) && unicode.In(r, unicode.Mn, unicode.Mc, unicode.Nd, unicode.Pc)
}

// knownToPython leaves out characters that are letters to us but not to the oldest Python
// we run (3.10 has Unicode 13), and all beyond the basic plane.
func knownToPython(r rune) bool {
	return r <= 0xFFFF && !unicode.Is(notIdentifier, r) && !unicode.Is(youngLetters, r)
}

// notIdentifier: letters and marks that Unicode keeps out of identifiers.
var notIdentifier = &unicode.RangeTable{R16: []unicode.Range16{
	{0x037a, 0x037a, 1}, {0x0e33, 0x0e33, 1}, {0x0eb3, 0x0eb3, 1}, {0x2e2f, 0x2e2f, 1},
	{0xfc5e, 0xfc63, 1}, {0xfdfa, 0xfdfb, 1}, {0xfe70, 0xfe70, 1}, {0xfe72, 0xfe72, 1},
	{0xfe74, 0xfe74, 1}, {0xfe76, 0xfe76, 1}, {0xfe78, 0xfe78, 1}, {0xfe7a, 0xfe7a, 1},
	{0xfe7c, 0xfe7c, 1}, {0xfe7e, 0xfe7e, 1}, {0xff9e, 0xff9f, 1},
}}

// youngLetters came with Unicode 14 and later.
var youngLetters = &unicode.RangeTable{R16: []unicode.Range16{
	{0x0870, 0x089f, 1}, {0x08b5, 0x08b5, 1}, {0x08c8, 0x08d2, 1}, {0x0c3c, 0x0c3c, 1},
	{0x0c5c, 0x0c5d, 1}, {0x0cdc, 0x0cdd, 1}, {0x0cf3, 0x0cf3, 1}, {0x0ece, 0x0ece, 1},
	{0x170d, 0x170d, 1}, {0x1715, 0x1715, 1}, {0x171f, 0x171f, 1}, {0x180f, 0x180f, 1},
	{0x1ac1, 0x1aff, 1}, {0x1b4c, 0x1b4c, 1}, {0x1c89, 0x1c8a, 1}, {0x1dfa, 0x1dfa, 1},
	{0x2c2f, 0x2c2f, 1}, {0x2c5f, 0x2c5f, 1}, {0x31bb, 0x31bf, 1}, {0x9ffd, 0x9fff, 1},
	{0xa7c0, 0xa7c1, 1}, {0xa7cb, 0xa7f4, 1}, {0x20c1, 0x20cf, 1},
}}

// PythonNames spells the names of one scope so that no two are the same. A name whose
// spelling is itself keeps it; of the others that meet, later ones get _2, _3 and so on
// in the order given. The result has the length and order of names.
func PythonNames(names []string) []string { return distinct(names, PythonName) }

// parameterNames is PythonNames for the parameters of one tool, where run is no clash.
func parameterNames(names []string) []string { return distinct(names, identifier) }

func distinct(names []string, spell func(string) string) []string {
	result := make([]string, len(names))
	taken := make(map[string]bool, len(names))
	for i, name := range names {
		if spell(name) == name && !taken[name] {
			result[i] = name
			taken[name] = true
		}
	}
	next := map[string]int{}
	for i, name := range names {
		if result[i] != "" {
			continue
		}
		base := spell(name)
		spelled := base
		for n := max(next[base], 2); taken[spelled]; n++ {
			spelled = strings.TrimSuffix(base, "_") + "_" + strconv.Itoa(n) // never two underscores in front
			next[base] = n + 1
		}
		result[i] = spelled
		taken[spelled] = true
	}
	return result
}

var withoutMarks = strings.NewReplacer("_", "", "-", "")

// near gives the candidate that a misspelled name most likely means, or "".
func near(name string, candidates []string) string {
	best, bestDistance := "", max(1, len([]rune(name))/3)+1
	plain := func(s string) string { return strings.ToLower(withoutMarks.Replace(s)) }
	for _, c := range candidates {
		if len(c) > 200 || len(name) > 200 {
			continue
		}
		d := editDistance(name, c)
		if plain(name) == plain(c) {
			d = 0
		}
		if d < bestDistance {
			best, bestDistance = c, d
		}
	}
	return best
}

// editDistance counts insertions, deletions, replacements and swaps of neighbours.
func editDistance(a, b string) int {
	s, t := []rune(a), []rune(b)
	var before []int
	row := make([]int, len(t)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(s); i++ {
		current := make([]int, len(t)+1)
		current[0] = i
		for j := 1; j <= len(t); j++ {
			cost := 1
			if s[i-1] == t[j-1] {
				cost = 0
			}
			current[j] = min(row[j]+1, current[j-1]+1, row[j-1]+cost)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				current[j] = min(current[j], before[j-2]+1)
			}
		}
		before, row = row, current
	}
	return row[len(t)]
}
