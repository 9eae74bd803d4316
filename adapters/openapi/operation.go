package openapi

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/registry"
	"github.com/codemode-sdk/codemode/schema"
)

// An Operation is one of a document, for Source.Use to choose from.
type Operation struct {
	// ID is its operationId; may be empty.
	ID string
	// Method is in upper case, Path as the document has it, with its braces.
	Method, Path string
	// Tags are those of the document.
	Tags []string
	// Deprecated says that its author advises against it.
	Deprecated bool
}

// An operation is what a tool has to know to make a request.
type operation struct {
	Operation
	server     string // its URL, absolute
	parameters []parameter
	body       *body
	others     map[string]bool // names in the query that are taken
	accept     string
	tool       registry.Tool // without a Handler
}

var methods = []string{"get", "put", "post", "delete", "options", "head", "patch", "trace"}

// operations calls f with each operation of the document that could be read, or with the
// error.
func (s *Source) operations(d *document, f func(op *operation, o Operation, err error)) {
	secrets := d.secrets()
	for path, item := range fields(get(d.root, "paths")) {
		if strings.HasPrefix(path, "x-") {
			continue
		}
		item, err := d.follow(item)
		if err != nil {
			f(nil, Operation{Path: path}, err)
			continue
		}
		for _, method := range methods {
			n := get(item, method)
			if n == nil {
				continue
			}
			about := Operation{
				ID: str(n, "operationId"), Method: strings.ToUpper(method), Path: path, Deprecated: truth(n, "deprecated", false),
			}
			for _, tag := range items(get(n, "tags")) {
				about.Tags = append(about.Tags, tag.Value)
			}
			if s.Use != nil && !s.Use(about) {
				continue
			}
			op := &operation{Operation: about}
			err := s.read(d, op, item, n, secrets)
			f(op, about, err)
		}
	}
}

// A secret is where an API key goes in a request.
type secret struct{ in, name string }

// secrets are the parameters that the application's credentials take.
func (d *document) secrets() map[secret]bool {
	found := map[secret]bool{}
	for _, scheme := range fields(get(get(d.root, "components"), "securitySchemes")) {
		if scheme, err := d.follow(scheme); err == nil && str(scheme, "type") == "apiKey" {
			found[secret{str(scheme, "in"), strings.ToLower(str(scheme, "name"))}] = true
		}
	}
	return found
}

// An argument is one of a tool, on its way into the schema.
type argument struct {
	name, description string
	schema            *yaml.Node
	required          bool
}

func (s *Source) read(d *document, op *operation, item, n *yaml.Node, secrets map[secret]bool) (err error) {
	if op.server, err = s.server(d, item, n); err != nil {
		return err
	}
	arguments, err := op.readParameters(d, item, n, secrets)
	if err != nil {
		return err
	}
	op.others = map[string]bool{}
	for key := range secrets {
		op.others[key.name] = op.others[key.name] || key.in == "query"
	}
	for _, p := range op.parameters {
		op.others[p.name] = op.others[p.name] || p.in == "query"
	}
	more, err := op.readBody(d, get(n, "requestBody"), arguments)
	if err != nil {
		return err
	}
	arguments = append(arguments, more...)
	schema.RequiredFirst(arguments, func(a argument) bool { return a.required })
	input, err := inputSchema(d, arguments)
	if err != nil {
		return err
	}
	output, note := op.readResponses(d, get(n, "responses"))
	op.tool = registry.Tool{
		Description: op.describe(n, note), InputSchema: input, OutputSchema: output, Policy: op.policy(s),
	}
	return nil
}

func inputSchema(d *document, arguments []argument) (json.RawMessage, error) {
	w, b := d.writer(true), &bytes.Buffer{}
	o := object{b: b}
	b.WriteByte('{')
	o.key("type")
	b.WriteString(`"object"`)
	o.key("properties")
	b.WriteByte('{')
	properties, required := object{b: b}, []string{}
	for _, a := range arguments {
		properties.key(a.name)
		if err := w.schema(b, a.schema, a.description, 0); err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "the argument %q", a.name)
		}
		if a.required {
			required = append(required, a.name)
		}
	}
	b.WriteByte('}')
	o.key("required")
	writeValue(b, required)
	o.key("additionalProperties")
	b.WriteString("false")
	if err := w.definitions(&o); err != nil {
		return nil, err
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// describe is what the document says of an operation, without saying it twice.
func (op *operation) describe(n *yaml.Node, note string) string {
	summary, description := strings.TrimSpace(str(n, "summary")), strings.TrimSpace(str(n, "description"))
	parts := []string{}
	if summary != "" && !strings.HasPrefix(description, strings.TrimSuffix(summary, ".")) {
		if !strings.ContainsAny(summary[len(summary)-1:], ".!?") {
			summary += "."
		}
		parts = append(parts, summary)
	}
	if description != "" {
		parts = append(parts, description)
	}
	if len(parts) == 0 {
		parts = append(parts, op.Method+" "+op.Path+".")
	}
	if op.Deprecated {
		parts = append(parts, "Deprecated.")
	}
	if note != "" {
		parts = append(parts, note)
	}
	return strings.ToValidUTF8(strings.Join(parts, "\n\n"), "\uFFFD")
}

func (op *operation) policy(s *Source) registry.Policy {
	p := registry.Policy{Timeout: s.Timeout}
	if p.Timeout == 0 {
		p.Timeout = DefaultTimeout
	}
	switch op.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		p.ReadOnly = true
	case http.MethodPut:
		p.Idempotent = true
	case http.MethodDelete:
		p.Destructive, p.Idempotent = true, true
	}
	return p
}

// name is the tool's, without the namespace.
func (op *operation) name() string {
	if id := strings.Trim(strings.TrimSpace(op.ID), "."); id != "" {
		return id
	}
	return op.place()
}

// place makes a name of the method and the path: get_pets_id.
func (op *operation) place() string {
	return strings.ToLower(op.Method) + "_" + strings.Trim(notInNames.ReplaceAllString(op.Path, "_"), "_")
}
