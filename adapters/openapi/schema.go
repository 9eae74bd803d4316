package openapi

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/schema"
)

// A writer makes JSON Schema of a document's schemas. What they refer to is written once,
// under $defs.
type writer struct {
	doc   *document
	input bool // for arguments, and not for a result

	defs  map[string]string // names in $defs, by reference
	taken map[string]bool
	queue []string // references to be written
}

func (d *document) writer(input bool) *writer {
	return &writer{doc: d, input: input, defs: map[string]string{}, taken: map[string]bool{}}
}

// Where keywords hold schemas; what is in none of these is data, or is left out.
var (
	oneSchema = []string{"items", "additionalItems", "contains", "additionalProperties", "propertyNames", "unevaluatedItems", "unevaluatedProperties", "not", "if", "then", "else"}
	schemas   = []string{"prefixItems", "allOf", "anyOf", "oneOf"}
	schemaMap = []string{"properties", "patternProperties", "dependentSchemas"}
	// leftOut are for other readers, or would change what references mean here.
	leftOut = []string{"discriminator", "xml", "externalDocs", "example", "nullable", "$defs", "definitions", "$id", "$schema", "$anchor", "$comment", "$vocabulary", "contentSchema"}
)

// schema writes one schema; description, if there is one, is in place of its own.
func (w *writer) schema(b *bytes.Buffer, n *yaml.Node, description string, depth int) error {
	if b.Len() > schema.MaxSchemaBytes {
		return fault.New(fault.Invalid, "its schema has more than %d bytes", schema.MaxSchemaBytes)
	}
	if depth > maxDepth {
		return fault.New(fault.Invalid, "its schema nests deeper than %d levels", maxDepth)
	}
	n = target(n)
	if n == nil || n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" {
		n = &yaml.Node{Kind: yaml.MappingNode}
	}
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!bool" {
		if description != "" || n.Value == "false" {
			writeScalar(b, n)
			return nil
		}
		b.WriteString("true")
		return nil
	}
	if n.Kind != yaml.MappingNode {
		return fault.New(fault.Invalid, "a schema is no object")
	}
	if description == "" {
		description = str(n, "description")
	}
	if w.doc.nullable && truth(n, "nullable", false) {
		o := object{b: b}
		b.WriteByte('{')
		// Not a list of types, which some model providers refuse.
		o.key("anyOf")
		b.WriteByte('[')
		if err := w.members(b, n, "", depth, true); err != nil {
			return err
		}
		b.WriteString(`,{"type":"null"}]`)
		for _, name := range []string{"title", "default"} {
			if v := get(n, name); v != nil {
				o.key(name)
				if err := data(b, v, depth); err != nil {
					return err
				}
			}
		}
		if description != "" {
			o.key("description")
			writeValue(b, description)
		}
		b.WriteByte('}')
		return nil
	}
	return w.members(b, n, description, depth, false)
}

// members writes a schema's keywords. bare leaves out what was said around it.
func (w *writer) members(b *bytes.Buffer, n *yaml.Node, description string, depth int, bare bool) error {
	o := object{b: b}
	b.WriteByte('{')
	if description != "" {
		o.key("description")
		writeValue(b, description)
	}
	ref := str(n, "$ref")
	if ref != "" {
		name, err := w.define(ref)
		if err != nil {
			return err
		}
		o.key("$ref")
		writeValue(b, "#/$defs/"+name)
		if w.doc.nullable { // nothing beside it counts
			b.WriteByte('}')
			return nil
		}
	}
	for key, value := range fields(n) {
		var err error
		switch {
		case key == "$ref", key == "description", slices.Contains(leftOut, key), strings.HasPrefix(key, "x-"),
			bare && (key == "title" || key == "default"):
		case key == "$dynamicRef":
			err = fault.New(fault.Invalid, "its schema uses $dynamicRef")
		case slices.Contains(oneSchema, key):
			o.key(key)
			err = w.schema(b, value, "", depth+1)
		case slices.Contains(schemas, key):
			o.key(key)
			b.WriteByte('[')
			for i, item := range items(value) {
				if i > 0 {
					b.WriteByte(',')
				}
				if err = w.schema(b, item, "", depth+1); err != nil {
					break
				}
			}
			b.WriteByte(']')
		case slices.Contains(schemaMap, key):
			o.key(key)
			inner := object{b: b}
			b.WriteByte('{')
			for name, property := range fields(value) {
				inner.key(name)
				if err = w.schema(b, property, "", depth+1); err != nil {
					break
				}
			}
			b.WriteByte('}')
		case key == "required":
			o.key(key)
			writeValue(b, w.required(n))
		case key == "contentMediaType" && value.Value == "application/octet-stream" && get(n, "contentEncoding") == nil && get(n, "format") == nil:
			o.key("format") // as 3.1 spells it
			b.WriteString(`"binary"`)
		default:
			o.key(key)
			err = data(b, value, depth+1)
		}
		if err != nil {
			return err
		}
	}
	b.WriteByte('}')
	return nil
}

// required leaves out what is only for the other direction.
func (w *writer) required(n *yaml.Node) []string {
	other := "readOnly"
	if !w.input {
		other = "writeOnly"
	}
	names := []string{}
	for _, item := range items(get(n, "required")) {
		if property, err := w.doc.follow(get(get(n, "properties"), item.Value)); err != nil || !truth(property, other, false) {
			names = append(names, item.Value)
		}
	}
	return names
}

// define gives the name in $defs of what a reference leads to.
func (w *writer) define(ref string) (string, error) {
	if name, ok := w.defs[ref]; ok {
		return name, nil
	}
	if _, err := w.doc.at(ref); err != nil {
		return "", err
	}
	base := notInNames.ReplaceAllString(ref[strings.LastIndex(ref, "/")+1:], "_")
	name := base
	for i := 2; w.taken[name]; i++ {
		name = fmt.Sprintf("%s_%d", base, i)
	}
	w.defs[ref], w.taken[name] = name, true
	w.queue = append(w.queue, ref)
	return name, nil
}

var notInNames = regexp.MustCompile(`[^A-Za-z0-9_]+`)

// definitions writes everything that was referred to, as a member of o.
func (w *writer) definitions(o *object) error {
	if len(w.queue) == 0 {
		return nil
	}
	o.key("$defs")
	o.b.WriteByte('{')
	inner := object{b: o.b}
	for i := 0; i < len(w.queue); i++ { // it grows meanwhile
		ref := w.queue[i]
		n, err := w.doc.at(ref)
		if err != nil {
			return err
		}
		inner.key(w.defs[ref])
		if err := w.schema(o.b, n, "", 0); err != nil {
			return err
		}
	}
	o.b.WriteByte('}')
	return nil
}

// An object writes the keys of a JSON object.
type object struct {
	b    *bytes.Buffer
	some bool
}

func (o *object) key(name string) {
	if o.some {
		o.b.WriteByte(',')
	}
	o.some = true
	writeValue(o.b, name)
	o.b.WriteByte(':')
}

// data writes what is no schema.
func data(b *bytes.Buffer, n *yaml.Node, depth int) error {
	if depth > maxDepth || b.Len() > schema.MaxSchemaBytes {
		return fault.New(fault.Invalid, "a value in its schema is too large")
	}
	n = target(n)
	switch n.Kind {
	case yaml.MappingNode:
		o := object{b: b}
		b.WriteByte('{')
		for key, value := range fields(n) {
			o.key(key)
			if err := data(b, value, depth+1); err != nil {
				return err
			}
		}
		b.WriteByte('}')
	case yaml.SequenceNode:
		b.WriteByte('[')
		for i, item := range n.Content {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := data(b, item, depth+1); err != nil {
				return err
			}
		}
		b.WriteByte(']')
	default:
		writeScalar(b, n)
	}
	return nil
}
