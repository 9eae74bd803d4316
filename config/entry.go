package config

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

const (
	maxEntries   = 100      // in a section of a file
	maxEntryList = 1000     // of a list, or of the names in a section, in an entry
	maxEntryText = 32 << 10 // of one text, in bytes
)

// An entryKind is a section whose keys are free names, with an entry for each.
type entryKind[T any] struct {
	section  string
	all, one string // what the section, and an entry, must be
	keys     []entryKey[T]
}

// An entryKey is a key of an entry, as in a file.
type entryKey[T any] struct {
	name, accepts, doc string
	text               func(*T) *string
	list               func(*T) *[]string
	secrets            func(*T) *map[string]Secret
}

var (
	entryName  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]{0,63}$`)
	headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}$")
)

// A reportFunc takes what is wrong with a key of an entry, or with all of it if key is empty.
type reportFunc func(key, message string)

// keyPath is where a key of the entry at path is; the entry itself if key is empty.
func keyPath(path, key string) string {
	if key == "" {
		return path
	}
	return join(path, key)
}

// validateEntry says what is wrong with an entry that comes from no file.
func validateEntry(path, what string, check func(reportFunc)) error {
	var found problems
	check(func(key, message string) {
		found.add(&Problem{Key: keyPath(path, key), Message: message})
	})
	return found.err(what)
}

// checkWebAddress reports an address that is there and cannot be used, without showing it:
// it may hold a password.
func checkWebAddress(key, address string, report reportFunc) {
	if u, err := url.Parse(address); address != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		report(key, "is not an address: write http://... or https://...")
	}
}

func checkHeaders(headers map[string]Secret, report reportFunc) {
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		if !headerName.MatchString(name) {
			report("headers", quote(name)+" is not the name of a header")
		} else if err := plainText(headers[name].Reveal()); err != nil {
			report("headers."+name, err.Error())
		} else if strings.ContainsAny(headers[name].Reveal(), "\r\n") {
			report("headers."+name, "has a line break, which a header cannot have")
		}
	}
}

func plainText(text string) error {
	switch {
	case len(text) > maxEntryText:
		return fmt.Errorf("is longer than %d bytes", maxEntryText)
	case strings.Contains(text, "\x00"):
		return errors.New("has a zero byte in it")
	}
	return nil
}

// readEntries reads a section whose keys are free names. Aliases are not followed: what they
// could multiply to is not bounded by a table of keys here.
func readEntries[T any](s *settings, file origin, kind entryKind[T], written *yaml.Node, named func(string) T, check func(T, reportFunc)) (entries []T) {
	s.pairs(file, kind.section, kind.all, maxEntries, written, func(name string, here origin, value *yaml.Node) {
		entry, path, before := named(name), join(kind.section, name), len(s.problems.list)
		s.pairs(file, path, kind.one, len(kind.keys), value, func(key string, here origin, value *yaml.Node) {
			readEntryKey(s, here, join(path, key), &entry, kind.keys, key, value)
		})
		if len(s.problems.list) == before { // half-read values would only contradict themselves
			check(entry, func(key, message string) { s.report(here, keyPath(path, key), message) })
		}
		entries = append(entries, entry)
	})
	return entries
}

func readEntryKey[T any](s *settings, here origin, path string, entry *T, keys []entryKey[T], name string, value *yaml.Node) {
	i := slices.IndexFunc(keys, func(k entryKey[T]) bool { return k.name == name })
	if i < 0 {
		var known []string
		for _, k := range keys {
			known = append(known, k.name)
		}
		hint := didYouMean(name, known)
		if hint == "" {
			hint = "; the keys here are " + strings.Join(known, ", ")
		}
		s.report(here, "", "unknown key "+quote(name)+" in "+strings.TrimSuffix(path, "."+name)+hint)
		return
	}
	switch k := keys[i]; {
	case k.text != nil:
		*k.text(entry), _ = s.scalar(here, path, k.accepts, value)
	case k.list != nil:
		n := value
		if n.Kind != yaml.SequenceNode || len(n.Content) > maxEntryList {
			s.report(at(here, value), path, fmt.Sprintf("must be a list of at most %d texts", maxEntryList))
			return
		}
		for _, item := range n.Content {
			text, ok := s.scalar(here, path, "text", item)
			if !ok {
				return
			}
			*k.list(entry) = append(*k.list(entry), text)
		}
	default:
		all := map[string]Secret{}
		s.pairs(here, path, k.accepts, maxEntryList, value, func(name string, here origin, value *yaml.Node) {
			text, _ := s.scalar(here, join(path, name), "text", value)
			all[name] = NewSecret(text)
		})
		*k.secrets(entry) = all
	}
}

// pairs walks a mapping whose keys are free names.
func (s *settings) pairs(file origin, path, accepts string, most int, written *yaml.Node, each func(name string, here origin, value *yaml.Node)) {
	if isNull(written) {
		return
	}
	n := written
	if n.Kind != yaml.MappingNode || n.Style&yaml.TaggedStyle != 0 || len(n.Content) > 2*most {
		s.report(at(file, written), path, "must be "+accepts+", at most "+strconv.Itoa(most)+" of them")
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, here := n.Content[i], at(file, n.Content[i])
		switch {
		case len(s.problems.list) >= maxProblems:
			s.report(here, "", "there are too many problems; nothing from here on was looked at")
			return
		case name.Kind != yaml.ScalarNode || name.Value == "<<" || isNull(name):
			s.report(here, path, "has a key that is not a plain word")
		case seen[name.Value]:
			s.report(here, path, quote(name.Value)+" is there twice")
		default:
			seen[name.Value] = true
			each(name.Value, here, n.Content[i+1])
		}
	}
}

// scalar reads one text, which is never shown: it may be a secret.
func (s *settings) scalar(here origin, path, accepts string, written *yaml.Node) (text string, ok bool) {
	here = at(here, written)
	n := written
	if n.Kind != yaml.ScalarNode || isNull(n) || n.Style&yaml.TaggedStyle != 0 {
		s.report(here, path, "must be one value: write "+accepts)
		return "", false
	}
	text, err := expand(n.Value, s.getenv)
	if err != nil {
		s.report(here, path, "the value "+err.Error())
		return "", false
	}
	return text, true
}
