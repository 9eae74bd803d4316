package openapi

import (
	"bytes"
	"errors"
	"mime"
	"mime/multipart"
	"net/textproto"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/registry"
)

// A bodyKind is how a body is written.
type bodyKind int

const (
	jsonBody bodyKind = iota
	formBody
	multipartBody
	rawBody
)

// A body is what an operation takes besides parameters.
type body struct {
	kind        bodyKind
	contentType string
	required    bool
	argument    string  // which is the whole body; empty if it is in fields
	fields      []field // the properties that are arguments
	parts       []field // what is known of the parts of multipart and forms
}

// A field is a property of a body.
type field struct {
	argument, name string
	contentType    string // of a part; may be empty
	binary         bool
	form           parameter // how a form has it
}

// bodyArgument is the name of a body that stays in one piece.
const bodyArgument = "body"

func (op *operation) readBody(d *document, ref *yaml.Node, parameters []argument) ([]argument, error) {
	if ref == nil {
		return nil, nil
	}
	n, err := d.follow(ref)
	if err != nil {
		return nil, err
	}
	media, b := d.chooseMedia(get(n, "content"))
	if b == nil {
		return nil, nil
	}
	b.required = truth(n, "required", false)
	op.body = b
	shape := get(media, "schema")
	whole, err := d.follow(shape)
	if err != nil {
		return nil, err
	}
	for name, property := range fields(get(whole, "properties")) {
		if property, err = d.follow(property); err != nil {
			return nil, err
		}
		b.parts = append(b.parts, readField(name, property, get(get(media, "encoding"), name)))
	}
	taken := func(name string) bool {
		return slices.ContainsFunc(parameters, func(a argument) bool { return a.name == name })
	}
	if arguments, ok := b.spread(d, whole, taken); ok {
		return arguments, nil
	}
	b.argument = bodyArgument
	if taken(b.argument) {
		b.argument = "request_body"
	}
	if taken(b.argument) {
		return nil, fault.New(fault.Invalid, "there are parameters of the names body and request_body, and a body")
	}
	if b.kind == rawBody && shape == nil {
		shape = &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{
			scalar("!!str", "type"), scalar("!!str", "string"), scalar("!!str", "format"), scalar("!!str", "binary"),
		}}
	}
	description := str(n, "description")
	if b.kind == rawBody {
		description = strings.TrimSpace(description + " Sent as " + b.contentType + ".")
	}
	return []argument{{name: b.argument, description: description, schema: shape, required: b.required}}, nil
}

// chooseMedia picks the way to send a body: what keeps types first.
func (d *document) chooseMedia(content *yaml.Node) (media *yaml.Node, chosen *body) {
	best := 5
	for contentType, candidate := range fields(content) {
		kind, rank, plain := rawBody, 4, strings.ToLower(strings.TrimSpace(strings.Split(contentType, ";")[0]))
		switch {
		case plain == "application/json":
			kind, rank = jsonBody, 0
		case isJSON(plain):
			kind, rank = jsonBody, 1
		case plain == "multipart/form-data":
			kind, rank = multipartBody, 2
		case plain == "application/x-www-form-urlencoded":
			kind, rank = formBody, 3
		case plain == "*/*":
			plain, contentType = "application/octet-stream", "application/octet-stream"
		}
		if _, _, err := mime.ParseMediaType(contentType); err != nil || rank >= best {
			continue
		}
		if strings.Contains(plain, "*") {
			contentType = "application/octet-stream"
		}
		best, media, chosen = rank, candidate, &body{kind: kind, contentType: contentType}
	}
	return media, chosen
}

func isJSON(mediaType string) bool {
	return mediaType == "application/json" || mediaType == "text/json" || strings.HasSuffix(mediaType, "+json")
}

func readField(name string, property, encoding *yaml.Node) field {
	f := field{name: name, contentType: str(encoding, "contentType")}
	shape := property
	if str(property, "type") == "array" {
		shape = get(property, "items")
	}
	f.binary = str(shape, "format") == "binary" || str(shape, "contentMediaType") != "" && str(shape, "contentEncoding") == ""
	f.form = parameter{argument: name, name: name, style: "form", explode: true, reserved: truth(encoding, "allowReserved", false)}
	if style := str(encoding, "style"); style == "deepObject" || style == "spaceDelimited" || style == "pipeDelimited" {
		f.form.style, f.form.explode = style, false
	}
	f.form.explode = truth(encoding, "explode", f.form.explode)
	return f
}

// together are keywords that make more of an object than its properties say.
var together = []string{"allOf", "anyOf", "oneOf", "not", "if", "patternProperties", "dependentSchemas", "dependentRequired", "minProperties", "maxProperties", "propertyNames", "unevaluatedProperties"}

// spread makes arguments of the properties of a body that is a plain object.
func (b *body) spread(d *document, whole *yaml.Node, taken func(string) bool) ([]argument, bool) {
	if b.kind == rawBody || len(b.parts) == 0 || truth(whole, "nullable", false) {
		return nil, false
	}
	if kind := get(whole, "type"); kind != nil && kind.Value != "object" {
		return nil, false
	}
	if open := get(whole, "additionalProperties"); open != nil && open.Value != "false" {
		return nil, false
	}
	for _, keyword := range together {
		if get(whole, keyword) != nil {
			return nil, false
		}
	}
	required := d.writer(true).required(whole)
	if !b.required && len(required) > 0 { // what is optional together cannot be so apart
		return nil, false
	}
	var arguments []argument
	for i, part := range b.parts {
		property := get(get(whole, "properties"), part.name)
		if resolved, err := d.follow(property); err == nil && truth(resolved, "readOnly", false) {
			continue
		}
		if taken(part.name) {
			b.fields = nil
			return nil, false
		}
		b.parts[i].argument = part.name
		b.fields = append(b.fields, b.parts[i])
		arguments = append(arguments, argument{name: part.name, schema: property, required: slices.Contains(required, part.name)})
	}
	if len(arguments) == 0 {
		return nil, false
	}
	for _, name := range required { // one that is no property
		if !slices.ContainsFunc(b.parts, func(f field) bool { return f.name == name }) {
			b.fields = nil
			return nil, false
		}
	}
	return arguments, true
}

// encode writes the body of one call; nil if there is none.
func (b *body) encode(args registry.Args) (data []byte, contentType string, err error) {
	plain, exact := args.Plain(), args.Map()
	var value, precise any
	if b.argument != "" {
		var ok bool
		if value, ok = plain[b.argument]; !ok {
			return nil, "", nil
		}
		precise = exact[b.argument]
	} else {
		some, somePrecise := map[string]any{}, map[string]any{}
		for _, f := range b.fields {
			if v, ok := plain[f.argument]; ok {
				some[f.name], somePrecise[f.name] = v, exact[f.argument]
			}
		}
		if len(some) == 0 && !b.required {
			return nil, "", nil
		}
		value, precise = some, somePrecise
	}
	switch b.kind {
	case jsonBody:
		return jsonText(value), b.contentType, nil
	case rawBody:
		return raw(value, precise), b.contentType, nil
	}
	members, ok := value.(map[string]any)
	if !ok {
		return nil, "", invalid("%s: expected dict, whose items are the fields of the form", b.argument)
	}
	preciseMembers, _ := precise.(map[string]any)
	if b.kind == formBody {
		var pairs []string
		for _, name := range sorted(members) {
			part := b.part(name)
			more, err := part.form.pairs(members[name])
			if err != nil {
				return nil, "", err
			}
			pairs = append(pairs, more...)
		}
		return []byte(strings.Join(pairs, "&")), b.contentType, nil
	}
	return b.multipart(members, preciseMembers)
}

// part is what the document says of a field; other fields are forms' defaults.
func (b *body) part(name string) field {
	for _, f := range b.parts {
		if f.name == name {
			return f
		}
	}
	return readField(name, nil, nil)
}

func (b *body) multipart(members, precise map[string]any) ([]byte, string, error) {
	var buffer bytes.Buffer
	w := multipart.NewWriter(&buffer)
	for _, name := range sorted(members) {
		f := b.part(name)
		values, exact := []any{members[name]}, []any{precise[name]}
		if list, ok := values[0].([]any); ok { // a part for each
			values = list
			if exact, ok = exact[0].([]any); !ok { // such as a set
				exact = values
			}
		}
		for i, v := range values {
			header := textproto.MIMEHeader{}
			_, isBytes := exact[i].([]byte)
			if isBytes || f.binary {
				header.Set("Content-Disposition", multipart.FileContentDisposition(name, name))
				header.Set("Content-Type", "application/octet-stream")
			} else {
				disposition := multipart.FileContentDisposition(name, "")
				header.Set("Content-Disposition", strings.TrimSuffix(disposition, `; filename=""`))
				if _, isObject := v.(map[string]any); isObject {
					header.Set("Content-Type", "application/json")
				}
			}
			if _, _, err := mime.ParseMediaType(f.contentType); err == nil && !strings.ContainsAny(f.contentType, "*,\r\n") {
				header.Set("Content-Type", f.contentType)
			}
			part, err := w.CreatePart(header)
			if err == nil {
				_, err = part.Write(raw(v, exact[i]))
			}
			if err != nil {
				return nil, "", err // a buffer takes everything
			}
		}
	}
	if err := w.Close(); err != nil {
		return nil, "", errors.Join(errors.New("the end of multipart"), err)
	}
	return buffer.Bytes(), w.FormDataContentType(), nil
}

// raw is a value as it is: bytes and text themselves, and anything else as JSON.
func raw(plain, exact any) []byte {
	if data, ok := exact.([]byte); ok {
		return data
	}
	if text, ok := plain.(string); ok {
		return []byte(text)
	}
	return jsonText(plain)
}
