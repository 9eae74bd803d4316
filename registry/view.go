package registry

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/codemode-sdk/codemode/internal/words"
	"github.com/codemode-sdk/codemode/schema"
)

// A View is what a registry held at one moment, arranged for finding. It does not change
// and may be used by many goroutines at once.
type View struct {
	entries []*Entry // sorted by name
	byName  map[string]*Entry
	byPath  map[string]*Entry
	members map[string][]string // of a namespace, by its path; sorted; "" is all of them
	leaves  map[string][]*Entry // by what a program that calls them must mention
	streams []*Entry            // those that stream

	once  sync.Once
	terms *termIndex // of Search
}

// View arranges what the registry holds now. It is made once for each change.
func (r *Registry) View() *View {
	r.mu.RLock()
	v := r.view
	r.mu.RUnlock()
	if v != nil {
		return v
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.view == nil {
		r.view = newView(slices.Collect(maps.Values(r.entries)))
	}
	return r.view
}

func newView(entries []*Entry) *View {
	slices.SortFunc(entries, func(a, b *Entry) int { return strings.Compare(a.name, b.name) })
	v := &View{
		entries: entries, byName: make(map[string]*Entry, len(entries)), byPath: make(map[string]*Entry, len(entries)),
		members: map[string][]string{}, leaves: make(map[string][]*Entry, len(entries)),
	}
	seen := map[string]bool{}
	for _, e := range entries {
		v.byName[e.name], v.byPath[e.spelling()] = e, e
		if e.streaming {
			v.streams = append(v.streams, e)
		}
		leaf := e.path[len(e.path)-1]
		v.leaves[leaf] = append(v.leaves[leaf], e)
		// One that is spelled otherwise may be called by its name, in a string.
		if given := e.name[strings.LastIndexByte(e.name, '.')+1:]; given != leaf {
			if first := words.Split(given); len(first) > 0 {
				v.leaves[first[0]] = append(v.leaves[first[0]], e)
			}
		}
		for i := range e.path {
			space, path := strings.Join(e.path[:i], "."), strings.Join(e.path[:i+1], ".")
			if !seen[path] && !e.policy.Hidden {
				seen[path] = true
				v.members[space] = append(v.members[space], e.path[i])
			}
		}
	}
	for _, names := range v.members {
		slices.Sort(names)
	}
	return v
}

// Len is the number of tools.
func (v *View) Len() int { return len(v.entries) }

// Lookup finds a tool by its registered name.
func (v *View) Lookup(name string) (*Entry, bool) {
	e, ok := v.byName[name]
	return e, ok
}

// Names gives the registered names of the tools that are not hidden, sorted.
func (v *View) Names() []string {
	names := make([]string, 0, len(v.entries))
	for _, e := range v.entries {
		if !e.policy.Hidden {
			names = append(names, e.name)
		}
	}
	return names
}

// Members gives the Python names in a namespace, sorted; of none, all at the top.
func (v *View) Members(path ...string) []string {
	return slices.Clone(v.members[strings.Join(path, ".")])
}

// maxMentioned bounds what Mentioned gives.
const maxMentioned = 256

// Mentioned gives the tools that a program can call by names that stand in its text, and
// some that it does not call after all. There may be more if it makes up names while it
// runs, or mentions very many. Those that stream are always among them: an executor has
// to know them beforehand.
func (v *View) Mentioned(code string) []*Entry {
	found := slices.Clone(v.streams)
	seen := map[*Entry]bool{}
	for _, e := range found {
		seen[e] = true
	}
	identifiers(code, func(word string) bool {
		for _, key := range []string{word, strings.ToLower(word)} {
			for _, e := range v.leaves[key] {
				if len(found) >= maxMentioned+len(v.streams) {
					return false
				}
				if !seen[e] {
					seen[e] = true
					found = append(found, e)
				}
			}
		}
		return true
	})
	return found
}

// identifiers gives each run of characters that an identifier may hold, and such a run
// taken apart where a name may have had a dash in place of an underscore.
func identifiers(code string, yield func(string) bool) {
	seen := map[string]bool{}
	for word := range strings.FieldsFuncSeq(code, func(r rune) bool {
		return r < 0x80 && r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) {
		if seen[word] {
			continue
		}
		seen[word] = true
		spelled := schema.PythonName(word) // as the parser reads it
		if !yield(word) || spelled != word && !yield(spelled) {
			return
		}
	}
}

// A Resolved path says how far a path leads.
type Resolved struct {
	// Depth is how many of the path's names lead to something.
	Depth int
	// Entry is the tool there, if there is one.
	Entry *Entry
	// Namespace is true if there are tools below.
	Namespace bool
}

// Resolve follows Python names until they have led to a tool, or lead no further.
func (v *View) Resolve(path []string) Resolved {
	at := Resolved{Namespace: true}
	for at.Namespace && at.Depth < len(path) {
		below := strings.Join(path[:at.Depth+1], ".")
		entry, namespace := v.byPath[below], len(v.members[below]) > 0
		if entry == nil && !namespace {
			return Resolved{Depth: at.Depth, Namespace: true}
		}
		at = Resolved{Depth: at.Depth + 1, Entry: entry, Namespace: namespace}
	}
	return at
}

// Near gives registered names that a wrong one may mean, the nearest first.
func (v *View) Near(name string) []string { return near(name, v.entries) }
