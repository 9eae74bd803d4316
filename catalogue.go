package codemode

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/codemode-sdk/codemode/registry"
	"github.com/codemode-sdk/codemode/schema"
)

// catalogueTokens bounds what a description says of tools that are too many to be shown.
// With the guide it stays below 1,500 tokens.
const catalogueTokens = 1000

// catalogueName bounds the names that a catalogue shows, in bytes; search finds the others.
const catalogueName = 64

// catalogue lists what tools there are, within catalogueTokens: a line for each, else the
// namespaces with as many names as there is room for.
func catalogue(entries []*registry.Entry, docs []schema.ToolDoc) (string, error) {
	lines := &budget{left: catalogueTokens}
	for _, doc := range docs {
		line, err := schema.Signature(doc)
		if err != nil {
			return "", err
		}
		if !lines.add(line + "\n") {
			return namespaces(entries), nil
		}
	}
	return strings.TrimSuffix(lines.text.String(), "\n"), nil
}

// A space is a namespace in a catalogue.
type space struct {
	path  string
	names []string
	shown int
}

func namespaces(entries []*registry.Entry) string {
	byPath := map[string]*space{}
	var spaces []*space
	for _, entry := range entries {
		path := entry.PythonPath()
		last := len(path) - 1
		name := strings.Join(append([]string{"tools"}, path[:last]...), ".")
		if byPath[name] == nil {
			byPath[name] = &space{path: name}
			spaces = append(spaces, byPath[name])
		}
		byPath[name].names = append(byPath[name].names, path[last])
	}
	slices.SortStableFunc(spaces, func(a, b *space) int { return cmp.Compare(len(b.names), len(a.names)) })
	left := budget{left: catalogueTokens}
	var shown []*space
	for _, s := range spaces {
		// Half of the room is for the names in them.
		if len(s.path) <= catalogueName && left.left > catalogueTokens/2 && left.take(s.head()) {
			shown = append(shown, s)
		}
	}
	// A name of each in turn, so that no namespace hides what the others are about.
	for more := true; more; {
		more = false
		for _, s := range shown {
			for s.shown < len(s.names) && len(s.names[s.shown]) > catalogueName {
				s.names = slices.Delete(s.names, s.shown, s.shown+1)
			}
			if s.shown < len(s.names) && left.take(", "+s.names[s.shown]) {
				s.shown++
				more = true
			}
		}
	}
	var b strings.Builder
	for _, s := range shown {
		b.WriteString(s.head() + strings.Join(s.names[:s.shown], ", "))
		if s.shown < len(s.names) {
			b.WriteString(", ...")
		}
		b.WriteByte('\n')
	}
	if hidden := len(spaces) - len(shown); hidden > 0 {
		fmt.Fprintf(&b, "- and %d more namespaces\n", hidden)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func (s *space) head() string { return fmt.Sprintf("- %s (%d): ", s.path, len(s.names)) }

// A budget is text that must not take more than so many tokens.
type budget struct {
	left int
	text strings.Builder
}

func (b *budget) take(text string) bool {
	n := tokensAtMost(text)
	if n > b.left {
		return false
	}
	b.left -= n
	return true
}

func (b *budget) add(text string) bool {
	if !b.take(text) {
		return false
	}
	b.text.WriteString(text)
	return true
}

// tokensAtMost is more than any common tokenizer makes of a text: two for three letters in
// a row, one for each other character of ASCII, one for each byte of anything else.
func tokensAtMost(text string) int {
	total, letters := 0, 0
	end := func() {
		total += (2*letters + 2) / 3
		letters = 0
	}
	for _, r := range text {
		switch {
		case r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z':
			letters++
			continue
		case r == ' ': // goes with the word behind it
		case r < utf8.RuneSelf:
			total++
		default:
			total += utf8.RuneLen(r)
		}
		end()
	}
	end()
	return total
}
