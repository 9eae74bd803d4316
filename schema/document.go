package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"

	"github.com/codemode-sdk/codemode/internal/fault"
)

type nodeKind uint8

const (
	nullNode nodeKind = iota
	boolNode
	numberNode
	stringNode
	arrayNode
	objectNode
)

// A node is a JSON value that remembers the order of object members, which is the order
// of a tool's positional arguments.
type node struct {
	kind   nodeKind
	truth  bool
	text   string // of a string, or a number as written
	items  []*node
	keys   []string
	fields map[string]*node
}

// decodeDocument reads exactly one JSON value. Of members with the same name the last
// one wins, as in encoding/json.
func decodeDocument(raw []byte) (*node, error) {
	if len(raw) > MaxSchemaBytes {
		return nil, fault.New(fault.Invalid, "JSON Schema has %d bytes, the limit is %d", len(raw), MaxSchemaBytes)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	n, err := decodeNode(d, 0)
	if err != nil {
		if f, ok := errors.AsType[*fault.Error](err); ok {
			return nil, f
		}
		return nil, fault.Wrap(fault.Invalid, err, "JSON Schema is not JSON")
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fault.New(fault.Invalid, "JSON Schema is followed by more text")
	}
	return n, nil
}

func decodeNode(d *json.Decoder, depth int) (*node, error) {
	if depth > MaxSchemaDepth {
		return nil, fault.New(fault.Invalid, "JSON Schema nests deeper than %d levels", MaxSchemaDepth)
	}
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := token.(type) {
	case nil:
		return &node{kind: nullNode}, nil
	case bool:
		return boolValue(t), nil
	case json.Number:
		return &node{kind: numberNode, text: t.String()}, nil
	case string:
		return stringValue(t), nil
	case json.Delim:
		if t == '[' {
			n := &node{kind: arrayNode}
			for d.More() {
				item, err := decodeNode(d, depth+1)
				if err != nil {
					return nil, err
				}
				n.items = append(n.items, item)
			}
			_, err := d.Token()
			return n, err
		}
		n := newObject()
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return nil, err
			}
			value, err := decodeNode(d, depth+1)
			if err != nil {
				return nil, err
			}
			n.set(key.(string), value) // the decoder has checked that keys are strings
		}
		_, err := d.Token()
		return n, err
	}
	return nil, fault.New(fault.Internal, "unexpected JSON token %v", token)
}

func newObject() *node               { return &node{kind: objectNode, fields: map[string]*node{}} }
func stringValue(s string) *node     { return &node{kind: stringNode, text: s} }
func boolValue(b bool) *node         { return &node{kind: boolNode, truth: b} }
func (n *node) is(k nodeKind) bool   { return n != nil && n.kind == k }
func (n *node) get(key string) *node { return n.fields[key] }

// str is the text of a string member, or "".
func (n *node) str(key string) string {
	if v := n.fields[key]; v.is(stringNode) {
		return v.text
	}
	return ""
}

func (n *node) set(key string, value *node) {
	if _, ok := n.fields[key]; !ok {
		n.keys = append(n.keys, key)
	}
	n.fields[key] = value
}

func (n *node) remove(key string) {
	delete(n.fields, key)
	n.keys = slices.DeleteFunc(n.keys, func(k string) bool { return k == key })
}

func (n *node) clone() *node {
	c := *n
	c.items = slices.Clone(n.items)
	for i, item := range c.items {
		c.items[i] = item.clone()
	}
	if n.kind == objectNode {
		c.keys = slices.Clone(n.keys)
		c.fields = make(map[string]*node, len(n.fields))
		for k, v := range n.fields {
			c.fields[k] = v.clone()
		}
	}
	return &c
}

// plain gives the value as a tree of nil, bool, json.Number, string, []any and
// map[string]any.
func (n *node) plain() any {
	switch n.kind {
	case boolNode:
		return n.truth
	case numberNode:
		return json.Number(n.text)
	case stringNode:
		return n.text
	case arrayNode:
		list := make([]any, len(n.items))
		for i, item := range n.items {
			list[i] = item.plain()
		}
		return list
	case objectNode:
		m := make(map[string]any, len(n.fields))
		for k, v := range n.fields {
			m[k] = v.plain()
		}
		return m
	}
	return nil
}

// encode writes compact JSON in the node's order.
func (n *node) encode(b *bytes.Buffer) {
	switch n.kind {
	case nullNode:
		b.WriteString("null")
	case boolNode:
		if n.truth {
			b.WriteString("true")
		} else {
			b.WriteString("false")
		}
	case numberNode:
		b.WriteString(n.text)
	case stringNode:
		encodeString(b, n.text)
	case arrayNode:
		b.WriteByte('[')
		for i, item := range n.items {
			if i > 0 {
				b.WriteByte(',')
			}
			item.encode(b)
		}
		b.WriteByte(']')
	case objectNode:
		b.WriteByte('{')
		for i, key := range n.keys {
			if i > 0 {
				b.WriteByte(',')
			}
			encodeString(b, key)
			b.WriteByte(':')
			n.fields[key].encode(b)
		}
		b.WriteByte('}')
	}
}

func encodeString(b *bytes.Buffer, s string) {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil { // a string always encodes
		b.WriteString(`""`)
		return
	}
	b.Truncate(b.Len() - 1) // the encoder's newline
}
