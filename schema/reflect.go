package schema

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"

	"github.com/invopop/jsonschema"

	"github.com/codemode-sdk/codemode/internal/fault"
)

// For derives the JSON Schema (2020-12) of the arguments that a Go type takes, by the
// rules of encoding/json.
//
// Field names and what is optional come from json tags: a field is required unless it is
// a pointer, of an embedded pointer, or has omitempty or omitzero
// (`jsonschema:"required"` makes it so again). A
// pointer without omitempty may also be null, which is shown as anyOf and never as a list
// of types. Descriptions come from `jsonschema:"description=..."` or
// `jsonschema_description:"..."`, constraints from `jsonschema:"minimum=1,enum=a,enum=b,default=a"`;
// commas in a description need no escaping. Struct types are shared under $defs.
//
// []byte is base64 text, time.Time date-time text, time.Duration ISO 8601 duration text,
// *big.Int an integer, any and json.RawMessage anything; types that marshal themselves as
// text are text, and other types that marshal themselves are anything unless they have a
// JSONSchema method. A map is an object that takes any key of its key type.
//
// In Python the values keep their types: bytes, datetime (with a timezone), timedelta, a
// dict with int keys for a map[int]T. An argument may be a str of the JSON form as well.
//
// The error, with the code fault.Invalid, names the field whose type has no JSON form
// (functions, channels, complex numbers) or whose tag is not understood.
//
// At most one Docs describes what has no description of its own.
func For(t reflect.Type, docs ...Docs) (*Schema, error) { return derive(t, false, docs) }

// ForResult is For for what a program gets from a Go type. It says what the type can
// come to be, where For says what it can be made from: a field is left out only with
// omitempty or omitzero, or behind a nil embedded pointer; any other nil pointer is
// null, the value itself and elements of slices and maps included. A slice or a map is
// never null, because nil ones are sent as empty.
func ForResult(t reflect.Type, docs ...Docs) (*Schema, error) { return derive(t, true, docs) }

// Docs gives the description of a struct type or, by its Go name, of one of its fields;
// empty if there is none.
type Docs func(t reflect.Type, field string) string

func derive(t reflect.Type, result bool, docs []Docs) (_ *Schema, err error) {
	if len(docs) > 1 {
		return nil, fault.New(fault.Invalid, "%d Docs are given", len(docs)).WithRemedy("give one")
	}
	if t == nil {
		return nil, fault.New(fault.Invalid, "no JSON Schema for an untyped nil")
	}
	nullable := false
	for t.Kind() == reflect.Pointer && t.Name() == "" {
		t, nullable = t.Elem(), result
	}
	r := &reflector{result: result, names: map[reflect.Type]string{}, used: map[string]bool{}, seen: map[reflect.Type]bool{}}
	if err := r.survey(t, t.String()); err != nil {
		return nil, err
	}
	defer func() {
		// JSONSchema methods of the caller's types run in here.
		if p := recover(); p != nil {
			err = fault.New(fault.Invalid, "no JSON Schema for %s: %v", t, p)
		}
	}()
	ref := jsonschema.Reflector{Anonymous: true, Mapper: special, Namer: r.name, AdditionalFields: promoted}
	if len(docs) == 1 {
		r.docs = docs[0]
	}
	reflected := ref.ReflectFromType(t)
	for named, name := range r.names {
		if def := reflected.Definitions[name]; def != nil {
			r.refine(def, named)
		}
	}
	if reflected.Ref == "" {
		r.refine(reflected, t)
	}
	raw, err := json.Marshal(reflected)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "no JSON Schema for %s", t)
	}
	doc, err := decodeDocument(raw)
	if err != nil {
		return nil, err
	}
	doc = expandRoot(doc, nullable)
	tidy(doc)
	s, err := Parse(encoded(doc))
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "no JSON Schema for %s", t)
	}
	s.exact = true
	if !nullable {
		s.root.name = r.names[t]
	}
	err = s.unmark()
	return s, err
}

type reflector struct {
	result bool
	docs   Docs // may be nil
	names  map[reflect.Type]string
	used   map[string]bool
	seen   map[reflect.Type]bool
}

// name tells apart types of the same name in different packages, and spells generic ones
// without the characters that a reference would trip over.
func (r *reflector) name(t reflect.Type) string {
	if t.Name() == "" {
		return ""
	}
	if n, ok := r.names[t]; ok {
		return n
	}
	base := t.Name()
	if head, args, ok := strings.Cut(base, "["); ok {
		base = head
		for _, arg := range strings.FieldsFunc(args, func(c rune) bool { return c == ',' || c == '[' || c == ']' }) {
			base += camel(arg[strings.LastIndexAny(arg, "./*")+1:])
		}
	}
	n := base
	for i := 2; r.used[n]; i++ {
		n = base + strconv.Itoa(i)
	}
	r.used[n], r.names[t] = true, n
	return n
}

// survey refuses what cannot be described before the reflection library panics over it.
func (r *reflector) survey(t reflect.Type, path string) error {
	if r.seen[t] {
		return nil
	}
	r.seen[t] = true
	if special(t) != nil || t.Implements(schemaType) || t.Implements(aliasType) {
		return nil
	}
	switch t.Kind() {
	case reflect.Pointer:
		if t.Name() != "" || t.Elem() == t {
			return fault.New(fault.Invalid, "%s: no JSON Schema for the pointer type %s", path, t)
		}
		return r.survey(t.Elem(), path)
	case reflect.Slice, reflect.Array:
		return r.survey(t.Elem(), path+"[]")
	case reflect.Map:
		key := t.Key()
		switch key.Kind() {
		case reflect.String, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
			reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		default:
			if !key.Implements(textType) {
				return fault.New(fault.Invalid, "%s: JSON has no maps with keys of type %s", path, key)
			}
		}
		return r.survey(t.Elem(), path+"[]")
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			if !f.IsExported() && !f.Anonymous || tagName(f) == "-" || strings.HasPrefix(f.Tag.Get("jsonschema"), "-") {
				continue
			}
			if err := r.survey(f.Type, path+"."+f.Name); err != nil {
				return err
			}
			if _, err := fieldDoc(f); err != nil {
				return fault.Wrap(fault.Invalid, err, "%s.%s", path, f.Name)
			}
		}
	case reflect.Func, reflect.Chan, reflect.Complex64, reflect.Complex128, reflect.UnsafePointer, reflect.Uintptr:
		return fault.New(fault.Invalid, "%s: no JSON Schema for the type %s", path, t)
	}
	return nil
}

// expandRoot puts the definition of the type itself at the root, where callers of models
// want to see an object, and points what referred to it there.
//
// One that may be null is an alternative, and stays where it is.
func expandRoot(doc *node, nullable bool) *node {
	if !doc.is(objectNode) {
		return newObject() // the schema true: any
	}
	doc.remove("$schema")
	if nullable {
		defs := doc.get("$defs")
		doc.remove("$defs")
		root := newObject()
		if len(doc.keys) > 0 { // else it is any already
			null := newObject()
			null.set("type", stringValue("null"))
			root.set("anyOf", &node{kind: arrayNode, items: []*node{doc, null}})
		}
		if defs.is(objectNode) {
			root.set("$defs", defs)
		}
		doc = root
	}
	ref := doc.str("$ref")
	defs := doc.get("$defs")
	name, ok := strings.CutPrefix(ref, "#/$defs/")
	if ok && defs.is(objectNode) && defs.get(name).is(objectNode) {
		root := defs.get(name)
		defs.remove(name)
		root.set("$defs", defs)
		doc = root
		var repoint func(*node)
		repoint = func(n *node) {
			if n.is(objectNode) && n.str("$ref") == ref {
				n.set("$ref", stringValue("#"))
			}
			subschemas(n, repoint)
		}
		repoint(doc)
	}
	if d := doc.get("$defs"); d.is(objectNode) && len(d.keys) == 0 {
		doc.remove("$defs")
	}
	return doc
}

// tidy writes {} for the schema true, which not every model API takes.
func tidy(n *node) {
	if !n.is(objectNode) {
		return
	}
	subschemas(n, func(c *node) {
		if c.is(boolNode) && c.truth {
			*c = *newObject()
		}
		tidy(c)
	})
}

// unmark takes the marks out of the text, which is for others: the compiled schema has
// them.
func (s *Schema) unmark() error {
	doc, err := decodeDocument(s.raw)
	if err != nil {
		return err
	}
	var walk func(*node)
	walk = func(n *node) {
		if n.is(objectNode) {
			n.remove(pythonMark)
		}
		subschemas(n, walk)
	}
	walk(doc)
	s.raw = encoded(doc)
	return nil
}
