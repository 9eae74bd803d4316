package schema

import (
	"encoding"
	"encoding/json"
	"fmt"
	"math/big"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/invopop/jsonschema"
)

// For derives the JSON Schema (2020-12) of a Go type as encoding/json reads and writes it.
//
// Field names and what is optional come from json tags: a field is required unless it is
// a pointer or has omitempty or omitzero (`jsonschema:"required"` makes it so again). A
// pointer without omitempty may also be null, which is shown as anyOf and never as a list
// of types. Descriptions come from `jsonschema:"description=..."` or
// `jsonschema_description:"..."`, constraints from `jsonschema:"minimum=1,enum=a,enum=b,default=a"`;
// commas in a description need no escaping. Struct types are shared under $defs.
//
// []byte is base64 text, time.Time date-time text, time.Duration an integer of
// nanoseconds, *big.Int an integer, any and json.RawMessage anything; types that marshal
// themselves as text are text, and other types that marshal themselves are anything
// unless they have a JSONSchema method.
//
// The error, with the code fault.Invalid, names the field whose type has no JSON form
// (functions, channels, complex numbers) or whose tag is not understood.
func For(t reflect.Type) (_ *Schema, err error) {
	if t == nil {
		return nil, fault.New(fault.Invalid, "no JSON Schema for an untyped nil")
	}
	for t.Kind() == reflect.Pointer && t.Name() == "" {
		t = t.Elem()
	}
	r := &reflector{names: map[reflect.Type]string{}, used: map[string]bool{}, seen: map[reflect.Type]bool{}}
	if err := r.survey(t, t.String()); err != nil {
		return nil, err
	}
	defer func() {
		// JSONSchema methods of the caller's types run in here.
		if p := recover(); p != nil {
			err = fault.New(fault.Invalid, "no JSON Schema for %s: %v", t, p)
		}
	}()
	ref := jsonschema.Reflector{Anonymous: true, Mapper: special, Namer: r.name}
	reflected := ref.ReflectFromType(t)
	for st, name := range r.names {
		if def := reflected.Definitions[name]; def != nil && st.Kind() == reflect.Struct && def.Properties != nil {
			r.amend(def, st)
		}
	}
	raw, err := json.Marshal(reflected)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "no JSON Schema for %s", t)
	}
	doc, err := decodeDocument(raw)
	if err != nil {
		return nil, err
	}
	doc = expandRoot(doc)
	tidy(doc)
	s, err := Parse(encoded(doc))
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "no JSON Schema for %s", t)
	}
	s.exact = true
	s.root.name = r.names[t]
	return s, nil
}

type reflector struct {
	names map[reflect.Type]string
	used  map[string]bool
	seen  map[reflect.Type]bool
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

var (
	timeType     = reflect.TypeFor[time.Time]()
	durationType = reflect.TypeFor[time.Duration]()
	bigIntType   = reflect.TypeFor[big.Int]()
	numberType   = reflect.TypeFor[json.Number]()
	rawType      = reflect.TypeFor[json.RawMessage]()
	urlType      = reflect.TypeFor[url.URL]()

	textType   = reflect.TypeFor[encoding.TextMarshaler]()
	jsonType   = reflect.TypeFor[json.Marshaler]()
	schemaType = reflect.TypeFor[interface{ JSONSchema() *jsonschema.Schema }]()
	aliasType  = reflect.TypeFor[interface{ JSONSchemaAlias() any }]()
)

// special describes the types whose JSON is not what their kind suggests.
func special(t reflect.Type) *jsonschema.Schema {
	pointer := reflect.PointerTo(t)
	switch {
	case t == timeType:
		return &jsonschema.Schema{Type: "string", Format: "date-time"}
	case t == durationType:
		return &jsonschema.Schema{Type: "integer", Description: "nanoseconds"}
	case t == bigIntType:
		return &jsonschema.Schema{Type: "integer"}
	case t == numberType:
		return &jsonschema.Schema{Type: "number"}
	case t == rawType, t == urlType:
		return &jsonschema.Schema{}
	case t.Implements(schemaType), t.Implements(aliasType):
		return nil
	case pointer.Implements(jsonType):
		return &jsonschema.Schema{}
	case pointer.Implements(textType):
		s := &jsonschema.Schema{Type: "string"}
		if t.Name() == "UUID" {
			s.Format = "uuid"
		}
		return s
	}
	switch t.Kind() {
	case reflect.Uint, reflect.Uint64:
		return &jsonschema.Schema{Type: "integer", Minimum: "0"}
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		return &jsonschema.Schema{Type: "integer", Minimum: "0", Maximum: json.Number(strconv.FormatUint(1<<t.Bits()-1, 10))}
	case reflect.Int8, reflect.Int16, reflect.Int32:
		high := int64(1)<<(t.Bits()-1) - 1
		return &jsonschema.Schema{Type: "integer", Minimum: json.Number(strconv.FormatInt(-high-1, 10)), Maximum: json.Number(strconv.FormatInt(high, 10))}
	}
	return nil
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

// amend sets what the library does not know: whole descriptions, and that pointers are
// optional.
func (r *reflector) amend(def *jsonschema.Schema, t reflect.Type) {
	for i := range t.NumField() {
		f := t.Field(i)
		name := tagName(f)
		if f.Anonymous && name == "" {
			inner := f.Type
			if inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			if inner.Kind() == reflect.Struct {
				r.amend(def, inner)
			}
			continue
		}
		if name == "" {
			name = f.Name
		}
		p, ok := def.Properties.Get(name)
		if !ok {
			continue
		}
		doc, _ := fieldDoc(f) // survey has refused bad tags
		if doc != "" {
			p.Description = doc
		}
		elem := f.Type
		if elem.Kind() == reflect.Pointer {
			elem = elem.Elem()
		}
		if elem == durationType && !strings.Contains(p.Description, "nanosecond") {
			p.Description = strings.TrimSpace(doc + " (nanoseconds)")
		}
		if f.Type.Kind() != reflect.Pointer {
			continue
		}
		if !hasTag(f, "required") {
			def.Required = without(def.Required, name)
		}
		if len(p.OneOf) == 0 && !strings.Contains(f.Tag.Get("json"), ",omitempty") && !strings.Contains(f.Tag.Get("json"), ",omitzero") {
			d, inner := p.Description, *p
			if inner.Ref != "" {
				inner.Description = ""
				def.Properties.Set(name, &jsonschema.Schema{Description: d, AnyOf: []*jsonschema.Schema{&inner, {Type: "null"}}})
				continue
			}
			fallback := inner.Default
			inner.Description, inner.Default = "", nil
			def.Properties.Set(name, &jsonschema.Schema{Description: d, Default: fallback, AnyOf: []*jsonschema.Schema{&inner, {Type: "null"}}})
		}
	}
}

func hasTag(f reflect.StructField, word string) bool {
	return contains(strings.Split(f.Tag.Get("jsonschema"), ","), word)
}

func without(list []string, s string) []string {
	var rest []string
	for _, l := range list {
		if l != s {
			rest = append(rest, l)
		}
	}
	return rest
}

// expandRoot puts the definition of the type itself at the root, where callers of models
// want to see an object, and points what referred to it there.
func expandRoot(doc *node) *node {
	if !doc.is(objectNode) {
		return newObject() // the schema true: any
	}
	doc.remove("$schema")
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

// tidy writes {} for the schema true, which not every model API takes, and allows the
// sign that integer map keys may have.
func tidy(n *node) {
	if !n.is(objectNode) {
		return
	}
	if p := n.get("patternProperties"); p.is(objectNode) && p.get("^[0-9]+$") != nil {
		v := p.get("^[0-9]+$")
		p.remove("^[0-9]+$")
		p.set("^-?[0-9]+$", v)
	}
	subschemas(n, func(c *node) {
		if c.is(boolNode) && c.truth {
			*c = *newObject()
		}
		tidy(c)
	})
}
