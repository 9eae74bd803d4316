package schema

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/codemode-sdk/codemode/internal/words"
)

// Bounds on what a brief outline says, in bytes.
const (
	briefTool     = 110
	briefArgument = 60
	briefLimit    = 40
)

// shorten leaves of all descriptions what a brief outline has. Words of the topic say
// nothing.
func (s *signature) shorten(topic []string) {
	known := append(words.Split(strings.Join(s.path, " ")), topic...)
	for _, a := range s.params {
		known = append(known, words.Split(a.name)...)
	}
	if s.doc = firstSentence(s.doc, briefTool); says(s.doc, known) {
		s.doc = ""
	}
	for i, n := range s.notes {
		s.notes[i] = firstSentence(n, briefTool)
	}
	for _, a := range s.params {
		whole := a.doc.String()
		if a.doc = a.doc.brief(known); a.doc.String() == "" {
			a.dropped = firstSentence(whole, briefArgument)
		}
	}
	for _, d := range s.decls {
		known := append(slices.Clone(known), words.Split(strings.Join(d.names, " "))...)
		for _, f := range d.fields {
			known = append(known, words.Split(f.key)...)
		}
		if d.doc = firstSentence(d.doc, briefTool); says(d.doc, known) {
			d.doc = ""
		}
		for i, f := range d.fields {
			d.fields[i].doc = f.doc.brief(known)
		}
	}
	for i, r := range s.returns {
		s.returns[i] = firstSentence(r, briefTool)
	}
}

// topicOf gives the words that so many of the tools use that they tell nothing of one.
func topicOf(signatures []*signature) []string {
	uses := map[string]int{}
	for _, s := range signatures {
		seen := map[string]bool{}
		for _, w := range words.Split(s.doc) {
			if !seen[w] {
				seen[w] = true
				uses[w]++
			}
		}
	}
	var topic []string
	for _, w := range slices.Sorted(maps.Keys(uses)) {
		if uses[w] >= max(topicTools, len(signatures)/10) && !units[w] && !strings.ContainsAny(w, "0123456789") {
			topic = append(topic, w)
		}
	}
	return topic
}

// topicTools is the least number of tools that make a topic.
const topicTools = 8

// brief drops a description that only repeats names, and limits that go without saying.
func (r remark) brief(known []string) remark {
	text := r.text
	if len(r.limits) > 0 {
		text = limitWords.ReplaceAllString(text, "")
	}
	short := remark{text: firstSentence(text, briefArgument)}
	if says(short.text, known) {
		short.text = ""
	}
	for _, l := range r.limits {
		if l != "at least 1" && l != "at least 1 character" && l != "at least 0" {
			short.limits = append(short.limits, shorten(l, briefLimit))
		}
	}
	return short
}

// firstSentence cuts text after its first sentence or paragraph, or at a word where that
// is too long.
func firstSentence(text string, limit int) string {
	text = strings.TrimSpace(clean(text))
	text, _, _ = strings.Cut(text, "\n\n")
	text = oneLine(text)
	for i := 0; i+1 < len(text); i++ {
		if c := text[i]; (c == '.' || c == '!' || c == '?') && text[i+1] == ' ' && !abbreviates(text[:i]) {
			text = text[:i]
			break
		}
	}
	text = strings.TrimSuffix(strings.TrimSuffix(text, "."), " (optional)")
	if rest := opening.ReplaceAllString(text, ""); rest != "" {
		text = rest
	}
	if len(text) <= limit {
		return text
	}
	// A clause that is whole needs no dots.
	if cut := strings.LastIndexAny(text[:limit], ",;:("); cut > limit/2 && strings.Count(text[:cut], "(") == strings.Count(text[:cut], ")") {
		return strings.TrimSpace(text[:cut])
	}
	cut := strings.LastIndexByte(text[:limit-2], ' ')
	if cut < limit/2 {
		return shorten(text, limit)
	}
	return strings.TrimRight(text[:cut], " ,;:(-") + "..."
}

// abbreviates says whether the dot that follows belongs to a word such as "e.g".
func abbreviates(text string) bool {
	last := text[strings.LastIndexByte(text, ' ')+1:]
	last = strings.ToLower(strings.TrimLeft(last, `("'`))
	return last == "etc" || last == "vs" || strings.Contains(last, ".") && len(last) <= 3 || len(last) == 1 && last >= "a" && last <= "z"
}

// says tells whether all that text says is in the words known.
func says(text string, known []string) bool {
	for _, w := range words.Split(text) {
		if !fillers[w] && !slices.ContainsFunc(known, func(k string) bool { return words.SameStem(w, k) }) {
			return false
		}
	}
	return true
}

// limitWords are what authors write of limits that the schema has as well.
var limitWords = regexp.MustCompile(`(?i)\s*\((min|max|minimum|maximum|between)\b[^()]*\)`)

// fillers are words that say nothing of what they stand beside.
var fillers = wordSet(`a an the of to for in on this that is be will with and or your you from at by as it its
	name names number numeric id ids identifier unique value values optional required string boolean list array object objects
	which used use using whether when if true given specified specific content text description want new existing
	set get apply perform action operation filter filters subset include return returns returned results result each include
	type field fields parameter data node about into information details resource resources its their are was
	any also optionally whose`)

// units are words that tell what no name does.
var units = wordSet(`ms millisecond milliseconds second seconds minute minutes hour hours day days week weeks month months
	year years utc timezone byte bytes kb mb gb percent percentage meter meters metre metres km mile miles celsius fahrenheit
	degrees cents dollars usd eur base64 iso rfc json yaml xml csv html markdown regex url path relative absolute`)

// opening is how authors begin what they say of anything.
var opening = regexp.MustCompile(`^(?:(?:The|A|An|Optional|Optionally,?|Specifies|Describes)\s+)+`)
