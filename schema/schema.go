package schema

import (
	"bytes"
	"encoding/json"
	"slices"
	"sync"

	"github.com/codemode-sdk/codemode/internal/fault"
)

// A Schema is a JSON Schema that compiles. It does not change after it was made and may
// be used from many goroutines at once. The zero value is not usable: see For and Parse.
type Schema struct {
	raw  json.RawMessage
	root *spec
	// exact: made from a Go type, whose values travel as themselves (datetime, bytes)
	// rather than as JSON text.
	exact bool

	once   sync.Once
	params []parameter
	extra  bool
}

// A Parameter is one argument of a tool.
type Parameter struct {
	// Name is the spelling in the schema.
	Name string
	// PythonName is the spelling in Python, unique among the schema's parameters. It is
	// the same as Name for most names.
	PythonName string
	Required   bool
}

// parameter is a Parameter with what describes it: all the schemas its values must meet.
type parameter struct {
	Parameter
	mergedProperty
}

// Parse takes a JSON Schema (2020-12, or draft-07 and what is commonly written in its
// place) as it came from elsewhere. Nil, empty text and null are an object without
// properties. Errors have the code fault.Invalid: not JSON, above MaxSchemaBytes or
// MaxSchemaDepth, malformed keywords, references that lead nowhere, outside the document
// or in a circle.
func Parse(raw json.RawMessage) (*Schema, error) {
	trimmed := bytes.TrimSpace(raw)
	if len(trimmed) == 0 || bytes.Equal(trimmed, []byte("null")) {
		trimmed = []byte(`{"type":"object","properties":{}}`)
	}
	doc, err := decodeDocument(trimmed)
	if err != nil {
		return nil, err
	}
	text := bytes.Clone(trimmed)
	if normalise(doc) {
		var b bytes.Buffer
		doc.encode(&b)
		text = b.Bytes()
	}
	if err := checkCompiles(doc); err != nil {
		return nil, err
	}
	root, err := compile(doc)
	if err != nil {
		return nil, err
	}
	return &Schema{raw: text, root: root}, nil
}

// JSON gives the document: the text given to Parse, or its normalised form where that
// was needed. The caller may change the bytes.
func (s *Schema) JSON() json.RawMessage { return bytes.Clone(s.raw) }

// Parameters gives the arguments in the order of the document, which is the order in
// which positional arguments are bound. Properties of allOf, anyOf, oneOf and their like
// follow those of the object itself, and are required only if no way round them exists.
// A required name that has no property comes last and takes any value.
func (s *Schema) Parameters() []Parameter {
	s.prepare()
	list := make([]Parameter, len(s.params))
	for i, p := range s.params {
		list[i] = p.Parameter
	}
	return list
}

// ExtraArguments says whether arguments that are not among Parameters are allowed: the
// document says additionalProperties true or gives them a schema or a pattern.
func (s *Schema) ExtraArguments() bool {
	s.prepare()
	return s.extra
}

func (s *Schema) prepare() {
	s.once.Do(func() {
		atoms := conjunction(s.root)
		m := gather(atoms)
		names := make([]string, 0, len(m.props))
		for _, p := range m.props {
			s.params = append(s.params, parameter{Parameter{Name: p.name, Required: m.required[p.name]}, p})
			names = append(names, p.name)
		}
		for i, spelling := range parameterNames(names) {
			s.params[i].PythonName = spelling
		}
		s.extra = m.extra()
	})
}

// isObject says whether the schema can describe the arguments of a call.
func (s *Schema) isObject() bool {
	m := gather(conjunction(s.root))
	return !m.never && (len(m.types) == 0 || slices.Contains(m.types, "object"))
}

// arguments is the schema to use where a caller gave none.
func arguments(s *Schema) (*Schema, error) {
	if s == nil {
		return Parse(nil)
	}
	if !s.isObject() {
		return nil, fault.New(fault.Invalid, "the schema of a tool's arguments must describe an object")
	}
	return s, nil
}
