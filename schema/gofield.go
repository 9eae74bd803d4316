package schema

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/invopop/jsonschema"

	"github.com/codemode-sdk/codemode/internal/value"
)

func tagName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

var tagWords = wordSet(`required nullable - title description type anchor oneof_required anyof_required oneof_ref
	oneof_type anyof_ref anyof_type minLength maxLength pattern format readOnly writeOnly default example enum
	multipleOf minimum maximum exclusiveMinimum exclusiveMaximum minItems maxItems uniqueItems`)

// fieldDoc reads the description of a field. In the jsonschema tag, what follows a
// description and is no keyword belongs to it.
func fieldDoc(f reflect.StructField) (string, error) {
	doc := f.Tag.Get("jsonschema_description")
	tag := f.Tag.Get("jsonschema")
	if tag == "" {
		return doc, nil
	}
	inDoc := false
	for _, part := range strings.Split(strings.ReplaceAll(tag, `\,`, "\x00"), ",") {
		text := strings.ReplaceAll(part, "\x00", ",")
		key, value, _ := strings.Cut(text, "=")
		switch {
		case key == "description":
			doc, inDoc = value, true
		case tagWords[key]:
			inDoc = false
		case inDoc:
			doc += "," + text
		case text != "":
			return "", fmt.Errorf("jsonschema tag: %q is not understood", text)
		}
	}
	return doc, nil
}

func hasTag(f reflect.StructField, word string) bool {
	return contains(strings.Split(f.Tag.Get("jsonschema"), ","), word)
}

// promoted names the fields of a struct with embedded ones once more, so that those
// which hide others are the ones described.
func promoted(t reflect.Type) []reflect.StructField {
	embeds := false
	for i := range t.NumField() {
		embeds = embeds || t.Field(i).Anonymous
	}
	if !embeds {
		return nil
	}
	var list []reflect.StructField
	for _, f := range value.Fields(t) {
		if len(f.Index) > 0 {
			list = append(list, t.FieldByIndex(f.Index))
		}
	}
	return list
}

// refine sets what the library does not know of a Go type: which fields there really
// are and which of them must be there, what may be null, and what a map's keys are. The
// result takes the place of p.
func (r *reflector) refine(p *jsonschema.Schema, t reflect.Type) {
	if p.Ref != "" || special(t) != nil || t.Implements(schemaType) || t.Implements(aliasType) {
		return
	}
	switch t.Kind() {
	case reflect.Slice, reflect.Array:
		if p.Items != nil {
			p.Items = r.element(p.Items, t.Elem())
		}
	case reflect.Map:
		r.refineMap(p, t)
	case reflect.Struct:
		if p.Properties != nil {
			r.refineStruct(p, t)
		}
	}
}

// element refines what a slice or a map holds. What a handler gets there is never nil.
func (r *reflector) element(p *jsonschema.Schema, t reflect.Type) *jsonschema.Schema {
	nullable := false
	for t.Kind() == reflect.Pointer && t.Name() == "" {
		t, nullable = t.Elem(), r.result
	}
	r.refine(p, t)
	if nullable {
		return orNull(p)
	}
	return p
}

// orNull allows null as well. What describes or replaces the value as a whole stands
// outside of the alternatives.
func orNull(p *jsonschema.Schema) *jsonschema.Schema {
	if p.Ref == "" && p.Type == "" && len(p.OneOf)+len(p.AnyOf)+len(p.AllOf)+len(p.Enum) == 0 && p.Not == nil {
		return p // anything
	}
	if len(p.OneOf) > 0 && p.OneOf[len(p.OneOf)-1].Type == "null" {
		return p
	}
	inner := *p
	inner.Description, inner.Default = "", nil
	return &jsonschema.Schema{
		Description: p.Description, Default: p.Default,
		AnyOf: []*jsonschema.Schema{&inner, {Type: "null"}},
	}
}

func (r *reflector) refineMap(p *jsonschema.Schema, t reflect.Type) {
	elem := p.AdditionalProperties
	for _, s := range p.PatternProperties {
		elem = s
	}
	if elem == nil {
		elem = jsonschema.TrueSchema // the library's way to write any
	}
	if elem != jsonschema.TrueSchema {
		elem = r.element(elem, t.Elem())
	}
	python, pattern := keyType(t.Key())
	p.PatternProperties, p.AdditionalProperties = nil, elem
	if pattern != "" {
		p.PatternProperties = map[string]*jsonschema.Schema{pattern: elem}
		p.AdditionalProperties = jsonschema.FalseSchema
	}
	if python != "str" {
		marked(p, python)
	}
}

func (r *reflector) refineStruct(def *jsonschema.Schema, t reflect.Type) {
	if def.Description == "" && r.docs != nil {
		def.Description = r.docs(t, "")
	}
	props := jsonschema.NewProperties()
	def.Required = nil
	for _, field := range value.Fields(t) {
		p, ok := def.Properties.Get(field.Name)
		if !ok {
			continue // hidden by its jsonschema tag
		}
		f := t.FieldByIndex(field.Index)
		if doc, _ := fieldDoc(f); doc != "" { // survey has refused bad tags
			p.Description = doc
		} else if p.Description == "" && r.docs != nil {
			p.Description = r.docs(owner(t, field.Index), f.Name)
		}
		elem, pointer := f.Type, false
		for elem.Kind() == reflect.Pointer && elem.Name() == "" {
			elem, pointer = elem.Elem(), true
		}
		if field.Quoted {
			p.Extras = nil // a Duration is its nanoseconds there
			p.Type, p.Format = "string", ""
		} else {
			r.refine(p, elem)
		}
		required := !field.Omittable && !maybeAbsent(t, field.Index)
		if !r.result {
			required = required && !pointer || hasTag(f, "required")
		}
		if required {
			def.Required = append(def.Required, field.Name)
		}
		if pointer && !field.Omittable {
			p = orNull(p)
		}
		props.Set(field.Name, p)
	}
	def.Properties = props
}

// owner is the struct that declares a field, which may be an embedded one.
func owner(t reflect.Type, index []int) reflect.Type {
	for _, i := range index[:len(index)-1] {
		if t = t.Field(i).Type; t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
	}
	return t
}

// maybeAbsent says whether a field is promoted through a pointer, which may be nil.
func maybeAbsent(t reflect.Type, index []int) bool {
	for _, i := range index[:len(index)-1] {
		f := t.Field(i)
		if f.Type.Kind() == reflect.Pointer {
			return true
		}
		t = f.Type
	}
	return false
}
