package openapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/url"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/codemode-sdk/codemode/internal/fault"
)

// Bounds on a document.
const (
	// MaxDocumentBytes bounds its text.
	MaxDocumentBytes = 64 << 20
	// maxDepth is how deep it nests, aliases and references between schemas excluded.
	maxDepth = 128
	// maxHops is how often a reference may lead to another.
	maxHops = 32
)

// A document is an OpenAPI document as a tree that has kept its order, which is the order
// of positional arguments.
type document struct {
	root *yaml.Node
	// nullable: it is of 3.0, where a schema says so to allow null.
	nullable bool
}

func parse(text []byte) (*document, error) {
	if len(text) > MaxDocumentBytes {
		return nil, fault.New(fault.Invalid, "the OpenAPI document has %d bytes, the limit is %d", len(text), MaxDocumentBytes)
	}
	text = bytes.TrimPrefix(text, []byte("\uFEFF"))
	root, err := tree(text)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the OpenAPI document is neither YAML nor JSON")
	}
	if root == nil || root.Kind != yaml.MappingNode {
		return nil, fault.New(fault.Invalid, "the OpenAPI document is no object")
	}
	version := str(root, "openapi")
	switch {
	case strings.HasPrefix(version, "3.0"):
		return &document{root: root, nullable: true}, nil
	case strings.HasPrefix(version, "3.1"):
		return &document{root: root}, nil
	case str(root, "swagger") != "":
		return nil, fault.New(fault.Invalid, "the document is of Swagger %s", str(root, "swagger")).
			WithRemedy("convert it to OpenAPI 3, for instance with swagger2openapi")
	}
	return nil, fault.New(fault.Invalid, "the document's openapi version is %q", version).WithRemedy("use a document of OpenAPI 3.0 or 3.1")
}

// tree reads YAML, and JSON by its own rules: not all of it is YAML.
func tree(text []byte) (*yaml.Node, error) {
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) && json.Valid(text) {
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		return jsonTree(d, 0)
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	var n yaml.Node
	if err := d.Decode(&n); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errors.New("it is empty")
		}
		return nil, err
	}
	return n.Content[0], nil
}

func jsonTree(d *json.Decoder, depth int) (*yaml.Node, error) {
	if depth > maxDepth {
		return nil, fault.New(fault.Invalid, "it nests deeper than %d levels", maxDepth)
	}
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := token.(type) {
	case bool:
		if t {
			return scalar("!!bool", "true"), nil
		}
		return scalar("!!bool", "false"), nil
	case json.Number:
		return scalar("!!float", t.String()), nil
	case string:
		return scalar("!!str", t), nil
	case json.Delim:
		n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		if t == '[' {
			n.Kind, n.Tag = yaml.SequenceNode, "!!seq"
		}
		for d.More() {
			if t == '{' {
				key, err := d.Token()
				if err != nil {
					return nil, err
				}
				name, _ := key.(string) // json.Valid has checked that it is one
				n.Content = append(n.Content, scalar("!!str", name))
			}
			child, err := jsonTree(d, depth+1)
			if err != nil {
				return nil, err
			}
			n.Content = append(n.Content, child)
		}
		_, err := d.Token()
		return n, err
	}
	return scalar("!!null", "null"), nil
}

func scalar(tag, text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: text}
}

// fields gives the members of an object in their order, and nothing of anything else.
func fields(n *yaml.Node) func(yield func(string, *yaml.Node) bool) {
	return func(yield func(string, *yaml.Node) bool) {
		n := target(n)
		if n == nil || n.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(n.Content[i].Value, target(n.Content[i+1])) {
				return
			}
		}
	}
}

// items gives the elements of an array, and nothing of anything else.
func items(n *yaml.Node) []*yaml.Node {
	if n = target(n); n == nil || n.Kind != yaml.SequenceNode {
		return nil
	}
	return n.Content
}

// target follows an alias of YAML, which never leads to another.
func target(n *yaml.Node) *yaml.Node {
	if n != nil && n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// get gives a member, nil if there is none.
func get(n *yaml.Node, key string) *yaml.Node {
	for name, child := range fields(n) {
		if name == key {
			return child
		}
	}
	return nil
}

// str gives a member that is a scalar as text, else "".
func str(n *yaml.Node, key string) string {
	if child := get(n, key); child != nil && child.Kind == yaml.ScalarNode && child.ShortTag() != "!!null" {
		return child.Value
	}
	return ""
}

// truth gives a member that is a boolean, else fallback.
func truth(n *yaml.Node, key string, fallback bool) bool {
	switch str(n, key) {
	case "true":
		return true
	case "false":
		return false
	}
	return fallback
}

// follow gives what an object refers to, if it does, and else the object.
func (d *document) follow(n *yaml.Node) (*yaml.Node, error) {
	for range maxHops {
		n = target(n)
		ref := str(n, "$ref")
		if ref == "" {
			return n, nil
		}
		var err error
		if n, err = d.at(ref); err != nil {
			return nil, err
		}
	}
	return nil, fault.New(fault.Invalid, "references that lead to references, more than %d times", maxHops)
}

// at finds what a reference names.
func (d *document) at(ref string) (*yaml.Node, error) {
	pointer, local := strings.CutPrefix(ref, "#/")
	if !local {
		return nil, fault.New(fault.Invalid, "the reference %q leads out of the document", short(ref, 200)).
			WithRemedy("bundle the document into one file first")
	}
	n := d.root
	for step := range strings.SplitSeq(pointer, "/") {
		if plain, err := url.PathUnescape(step); err == nil {
			step = plain
		}
		step = strings.NewReplacer("~1", "/", "~0", "~").Replace(step)
		next := get(n, step)
		if next == nil {
			if list := items(n); len(step) < 6 {
				if i, err := json.Number(step).Int64(); err == nil && i >= 0 && i < int64(len(list)) {
					next = target(list[i])
				}
			}
		}
		if next == nil {
			return nil, fault.New(fault.Invalid, "the reference %q leads nowhere", short(ref, 200))
		}
		n = next
	}
	return n, nil
}

// writeScalar writes a scalar as JSON.
func writeScalar(b *bytes.Buffer, n *yaml.Node) {
	switch n.ShortTag() {
	case "!!null":
		b.WriteString("null")
		return
	case "!!bool":
		var v bool
		if n.Decode(&v) == nil {
			writeValue(b, v)
			return
		}
	case "!!int", "!!float":
		if json.Valid([]byte(n.Value)) {
			b.WriteString(n.Value)
			return
		}
		var v any // YAML has other spellings, such as 0x10 and .5
		if n.Decode(&v) == nil {
			if f, ok := v.(float64); ok && (math.IsNaN(f) || math.IsInf(f, 0)) {
				b.WriteString("null")
				return
			}
			writeValue(b, v)
			return
		}
	}
	writeValue(b, n.Value)
}

func writeValue(b *bytes.Buffer, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		text = []byte("null") // no scalar gets here
	}
	b.Write(text)
}

// short cuts what a message quotes.
func short(text string, limit int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + " ..."
}
