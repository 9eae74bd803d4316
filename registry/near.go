package registry

import (
	"fmt"
	"slices"
	"strings"
)

const (
	// maxNear bounds the names that an error suggests.
	maxNear = 3
	// maxCompared bounds the length of what is compared: the work grows with its square,
	// for every tool there is.
	maxCompared = 64
)

// unknown is the error for a name that is not registered.
func (r *Registry) unknown(name string) *ToolError {
	shown := name
	if len(shown) > MaxNameBytes {
		shown = shown[:MaxNameBytes] + "..."
	}
	message := fmt.Sprintf("there is no tool %q", shown)
	entries := r.Entries()
	if near := near(name, entries); len(near) > 0 {
		for i, n := range near {
			near[i] = fmt.Sprintf("%q", n)
		}
		message += "; did you mean " + strings.Join(near, " or ") + "?"
	} else if len(entries) == 0 {
		message += "; no tools are registered"
	}
	return &ToolError{Tool: bounded(shown), Kind: KindUnknownTool, Message: bounded(message)}
}

// near gives names of entries that a wrong one may mean, the nearest first.
func near(name string, entries []*Entry) []string {
	if len(name) > maxCompared {
		return nil
	}
	type candidate struct {
		name     string
		distance int
	}
	wrong, limit := flat(name), max(2, len(name)/3)
	var found []candidate
	for _, e := range entries {
		right := flat(e.name)
		_, last, namespaced := cutLast(right)
		switch {
		case e.policy.Hidden:
		case namespaced && last == wrong, strings.HasSuffix(wrong, "."+right):
			found = append(found, candidate{e.name, 1}) // only the namespace is wrong
		case len(right) <= maxCompared && len(right)-len(wrong) <= limit && len(wrong)-len(right) <= limit:
			if d := distance(wrong, right); d <= limit {
				found = append(found, candidate{e.name, d})
			}
		}
	}
	slices.SortStableFunc(found, func(a, b candidate) int { return a.distance - b.distance })
	var names []string
	for _, c := range found[:min(len(found), maxNear)] {
		names = append(names, c.name)
	}
	return names
}

// flat makes spellings that people mix up the same.
func flat(name string) string {
	return strings.ToLower(strings.ReplaceAll(name, "-", "_"))
}

func cutLast(name string) (before, last string, found bool) {
	i := strings.LastIndexByte(name, '.')
	if i < 0 {
		return "", name, false
	}
	return name[:i], name[i+1:], true
}

// distance counts the bytes to insert, delete or replace to get from a to b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
