package registry

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/codemode-sdk/codemode/internal/words"
)

const (
	// maxQueryWords bounds the words of a query that count.
	maxQueryWords = 24
	// maxIndexed bounds how much of a description is searched, in bytes.
	maxIndexed = 1000
	// maxForms bounds the words that one word of a query may stand for.
	maxForms = 64
)

// What a word weighs by where it stands.
const (
	inName        = 4.0
	inNamespace   = 2.0
	inParameter   = 1.5
	inDescription = 1.0
)

// A termIndex says which tools have a word, and how much it tells about them.
type termIndex struct {
	terms  []string // sorted
	uses   map[string][]use
	length []float64 // of each tool's name, in words
}

type use struct {
	tool   int
	weight float64
}

func (v *View) index() *termIndex {
	v.once.Do(func() {
		x := &termIndex{uses: map[string][]use{}, length: make([]float64, len(v.entries))}
		for i, e := range v.entries {
			if e.policy.Hidden {
				continue
			}
			put := func(text string, weight float64) int {
				split := words.Split(text)
				for _, w := range split {
					switch list := x.uses[w]; {
					case len(list) == 0 || list[len(list)-1].tool != i:
						x.uses[w] = append(list, use{i, weight})
					default: // a word says no more than once, where it says most
						list[len(list)-1].weight = max(list[len(list)-1].weight, weight)
					}
				}
				return len(split)
			}
			put(e.description[:min(len(e.description), maxIndexed)], inDescription)
			for _, p := range e.Parameters() {
				put(p.Name, inParameter)
			}
			cut := strings.LastIndexByte(e.name, '.')
			x.length[i] = float64(put(e.name[:max(cut, 0)], inNamespace) + put(e.name[cut+1:], inName))
		}
		x.terms = slices.Sorted(maps.Keys(x.uses))
		v.terms = x
	})
	return v.terms
}

// Search gives the tools that fit a query, the best first, at most limit of them. Words
// count by where they stand (name, namespace, parameters, description) and by how few
// tools have them; forms of a word count somewhat less than the word itself, and a tool
// that has half of the words counts a quarter. A name in full is always first. Hidden tools are not found.
func (v *View) Search(query string, limit int) []*Entry {
	x := v.index()
	scores := make([]float64, len(v.entries))
	asked := telling(words.Split(query))
	asked = asked[:min(len(asked), maxQueryWords)]
	fits := make([]int, len(v.entries)) // how many words of the query
	for _, w := range asked {
		best := make([]float64, len(v.entries))
		for form, likeness := range x.forms(w) {
			rarity := math.Log(1 + float64(len(v.entries))/float64(len(x.uses[form])))
			for _, u := range x.uses[form] {
				best[u.tool] = max(best[u.tool], u.weight*rarity*likeness)
			}
		}
		for i, score := range best {
			scores[i] += score
			if score > 0 {
				fits[i]++
			}
		}
	}
	type hit struct {
		index int
		score float64
	}
	var hits []hit
	name := strings.TrimPrefix(strings.TrimSpace(query), "tools.")
	for i, score := range scores {
		if score == 0 {
			continue
		}
		if e := v.entries[i]; name == e.name || name == strings.Join(e.path, ".") {
			score = math.Inf(1)
		}
		covered := float64(fits[i]) / float64(len(asked))
		score *= covered * covered
		// Of tools that fit alike, the one of which more is asked for.
		hits = append(hits, hit{i, score - 0.01*x.length[i]})
	}
	slices.SortFunc(hits, func(a, b hit) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.index, b.index))
	})
	found := make([]*Entry, 0, min(limit, len(hits)))
	for _, h := range hits[:min(max(limit, 0), len(hits))] {
		found = append(found, v.entries[h.index])
	}
	return found
}

// fillers are words of a query that say nothing of what is looked for, and that one
// description has where the next has not.
var fillers = map[string]bool{
	"a": true, "an": true, "the": true, "of": true, "on": true, "in": true, "to": true, "for": true, "from": true, "by": true,
	"with": true, "and": true, "or": true, "is": true, "are": true, "my": true, "that": true, "which": true, "how": true, "can": true,
}

// telling leaves fillers out of a query that has other words.
func telling(asked []string) []string {
	if told := slices.DeleteFunc(slices.Clone(asked), func(w string) bool { return fillers[w] }); len(told) > 0 {
		return told
	}
	return asked
}

// forms gives the indexed words that one of a query may mean, and how surely.
func (x *termIndex) forms(word string) map[string]float64 {
	found := map[string]float64{}
	if x.uses[word] != nil {
		found[word] = 1
	}
	if len(word) < 3 {
		return found
	}
	start, _ := slices.BinarySearch(x.terms, word[:3])
	for _, term := range x.terms[start:] {
		if !strings.HasPrefix(term, word[:3]) || len(found) == maxForms {
			break
		}
		if term != word && words.SameStem(word, term) {
			found[term] = 0.7
		}
	}
	return found
}
