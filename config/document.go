package config

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// MaxFileSize bounds a configuration file, in bytes.
const MaxFileSize = 1 << 20

// maxProblems bounds what is said about a file that is no configuration at all.
const maxProblems = 100

// read applies a YAML document to the settings. Only paths that the table knows are
// followed, aliases included, so what is looked at is bounded by the table and not by
// what the document's aliases would multiply to.
func (s *settings) read(name string, data []byte) {
	file := origin{file: name}
	if len(data) > MaxFileSize {
		s.report(file, "", "is larger than 1 MiB")
		return
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document, second yaml.Node
	err := decoder.Decode(&document)
	if errors.Is(err, io.EOF) {
		return // nothing but comments
	}
	if err == nil {
		if err = decoder.Decode(&second); err == nil {
			s.report(at(file, &second), "", "has more than one document: remove what follows the ---")
			return
		}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		s.reportSyntax(file, err)
		return
	}
	if len(document.Content) == 1 {
		s.readSection(file, "", document.Content[0])
	}
}

var (
	syntaxLine    = regexp.MustCompile(`^line ([0-9]+): `)
	unknownAnchor = regexp.MustCompile(`^unknown anchor '.*' referenced$`)
)

// reportSyntax passes the YAML parser's message on, except the one that quotes the file:
// an unquoted API key that begins with * is an alias to YAML.
func (s *settings) reportSyntax(file origin, err error) {
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	if m := syntaxLine.FindStringSubmatch(message); m != nil {
		file.line, _ = strconv.Atoi(m[1]) // digits, and too many of them are no line
		message = message[len(m[0]):]
		if strings.HasPrefix(message, "did not find expected") {
			file.line++ // these count from 0, the others from 1
		}
	}
	if unknownAnchor.MatchString(message) {
		message = "there is an alias (*name) without its anchor (&name); a value that begins with * needs quotes"
	}
	s.report(file, "", "is not YAML: "+message)
}

func at(o origin, n *yaml.Node) origin {
	o.line, o.column = n.Line, n.Column
	return o
}

// target follows an alias, which in a parsed document leads to a node that is none.
func target(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		return n.Alias
	}
	return n
}

// readSection walks a mapping.
func (s *settings) readSection(file origin, path string, written *yaml.Node) {
	n := target(written)
	if isNull(n) {
		return // a section whose every key is commented out
	}
	if n.Kind != yaml.MappingNode {
		s.report(at(file, written), path, "must be a section with keys of its own: "+strings.Join(children(path), ", "))
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		here := at(file, name)
		if len(s.problems.list) >= maxProblems {
			s.report(here, "", "there are too many problems; nothing from here on was looked at")
			return
		}
		if name.Kind != yaml.ScalarNode {
			s.report(here, path, "has a key that is not a plain word")
			continue
		}
		if name.Value == "<<" {
			s.report(here, path, "has a merge key (<<), which is not supported: write the keys out")
			continue
		}
		child := join(path, name.Value)
		k, sec := findKey(child), findSection(child)
		if strings.Contains(name.Value, ".") || k == nil && sec == nil {
			s.report(here, "", unknownKey(path, name.Value))
			continue
		}
		if line, twice := seen[name.Value]; twice {
			s.report(here, child, "is set twice; the first time is on line "+strconv.Itoa(line))
			continue
		}
		seen[name.Value] = name.Line
		switch {
		case (child == serversPath || child == openAPIPath) && s.scope&readByClient == 0: // none of an executor's business
		case child == serversPath:
			s.readServers(file, value)
		case child == openAPIPath:
			s.readOpenAPI(file, value)
		case sec != nil:
			s.readSection(file, child, value)
		default:
			s.readValue(at(file, value), k, value)
		}
	}
}

// readValue reads a scalar or a list of scalars. The text of a scalar counts as it is
// written, whatever type YAML would see in it: a key says itself what it takes.
func (s *settings) readValue(here origin, k *key, written *yaml.Node) {
	switch n := target(written); {
	case n.Style&yaml.TaggedStyle != 0:
		s.report(here, k.path, "has a YAML tag (!...), which is not supported; a value that begins with ! needs quotes")
	case isNull(n):
		s.report(here, k.path, "has no value: write "+k.accepts+", or remove the key for its default")
	case n.Kind == yaml.ScalarNode && k.set == nil:
		s.report(here, k.path, "must be a list: write "+k.accepts)
	case n.Kind == yaml.ScalarNode:
		text, err := expand(n.Value, s.getenv)
		if err == nil {
			err = k.set(s.config, text)
		}
		s.settle(here, k, n.Value, err)
	case n.Kind == yaml.SequenceNode && k.setList != nil:
		items := make([]string, 0, len(n.Content))
		raw := make([]string, 0, len(n.Content))
		for _, written := range n.Content {
			item := target(written)
			if item.Kind != yaml.ScalarNode || isNull(item) || item.Style&yaml.TaggedStyle != 0 {
				s.report(at(here, written), k.path, "has an element that is not plain text")
				return
			}
			text, err := expand(item.Value, s.getenv)
			if err != nil {
				s.settle(at(here, written), k, item.Value, err)
				return
			}
			items, raw = append(items, text), append(raw, item.Value)
		}
		s.settle(here, k, "["+strings.Join(raw, ", ")+"]", k.setList(s.config, items))
	default:
		s.report(here, k.path, "must be one value: write "+k.accepts)
	}
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }
