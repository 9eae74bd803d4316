package config

import (
	"slices"
	"strings"
)

// unknownKey says what a name that is no key could have meant: a neighbour spelled
// nearly so, else a key of that name elsewhere, else what there is here.
func unknownKey(path, name string) string {
	shown := quote(name)
	if before, _, ok := strings.Cut(name, ":"); ok {
		// {api_key:secret} is one key to YAML, so the rest may be a secret.
		return "unknown key " + quote(before+":...") + "; a space is missing after the colon"
	}
	where := ""
	if path != "" {
		where = " in " + path
	}
	if i := strings.LastIndexByte(name, '.'); path == "" && i > 0 && findKey(name) != nil {
		return "unknown key " + shown + "; write it nested: " + name[i+1:] + " below " + name[:i]
	}
	here := children(path)
	if best := nearest(name, here); best != "" {
		hint := ""
		if k := findKey(join(path, best)); k != nil {
			hint = " (" + k.accepts + ")"
		}
		return "unknown key " + shown + where + "; did you mean " + best + "?" + hint
	}
	for _, k := range keys {
		last := k.path[strings.LastIndexByte(k.path, '.')+1:]
		if nearest(name, []string{last}) != "" {
			return "unknown key " + shown + where + "; did you mean " + k.path + "? (" + k.accepts + ")"
		}
	}
	for _, s := range sections {
		if last := s.path[strings.LastIndexByte(s.path, '.')+1:]; nearest(name, []string{last}) != "" {
			return "unknown key " + shown + where + "; did you mean " + s.path + "?"
		}
	}
	return "unknown key " + shown + where + "; the keys here are " + strings.Join(here, ", ")
}

// didYouMean is a suggestion to append to a message, or nothing.
func didYouMean(word string, known []string) string {
	return suggest("", nearest(word, known))
}

// suggest is the same for what is nearest, without the prefix that it has.
func suggest(prefix, best string) string {
	if best == "" {
		return ""
	}
	return "; did you mean " + prefix + best + "?"
}

// nearest gives the known word that is few enough edits from word, or nothing. Case and
// the choice between "-" and "_" do not count.
func nearest(word string, known []string) string {
	plain := func(s string) string { return strings.ReplaceAll(strings.ToLower(s), "-", "_") }
	best, fewest := "", 0
	for _, k := range known {
		d := distance(plain(word), plain(k))
		if d <= max(1, len(k)/3) && (best == "" || d < fewest) {
			best, fewest = k, d
		}
	}
	return best
}

// distance counts the insertions, deletions, substitutions and swaps of neighbours that
// make one word of the other. Beyond any useful distance it gives up.
func distance(a, b string) int {
	const far = 1 << 20
	x, y := []rune(a), []rune(b)
	if len(x) > 100 || len(y) > 100 {
		return far
	}
	before, last := make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := range x {
		row := make([]int, len(y)+1)
		row[0] = i + 1
		for j := range y {
			cost := 1
			if x[i] == y[j] {
				cost = 0
			}
			row[j+1] = slices.Min([]int{last[j+1] + 1, row[j] + 1, last[j] + cost})
			if i > 0 && j > 0 && x[i] == y[j-1] && x[i-1] == y[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return last[len(y)]
}
