package registry

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/schema"
)

// A Handler runs one call of a raw tool. Its arguments have passed the tool's schema. It
// may return any Go value that Func may; its error becomes a ToolError.
type Handler func(ctx context.Context, args Args) (any, error)

// A Tool is a tool with schemas of its own.
type Tool struct {
	// Name is 1 to MaxNameBytes bytes of UTF-8 without control characters; dots separate
	// namespaces.
	Name string
	// Description tells the model what the tool does; may be empty.
	Description string
	// InputSchema is the JSON Schema of the arguments, which must be an object's. If
	// empty, the tool takes no arguments.
	InputSchema json.RawMessage
	// OutputSchema is the JSON Schema of the result, for the model to read: results are
	// not checked against it. If empty, nothing is said about the result.
	OutputSchema json.RawMessage
	// Handler runs the tool. If nil, the tool is described but calling it fails with
	// KindUnavailable.
	Handler Handler
	// Policy says what the tool does and how it may be called.
	Policy Policy
	// Streaming says that the tool gives rows: its Handler returns an
	// iter.Seq2[any, error], as Stream has it, and OutputSchema is the schema of a row.
	Streaming bool
	// Origin says where the tool comes from, for messages, such as "the MCP server
	// github". If empty, the file and line that adds it.
	Origin string
}

func (t Tool) schemas() (in, out *schema.Schema, err error) {
	in, err = schema.Parse(t.InputSchema)
	if err != nil {
		return nil, nil, fault.Wrap(fault.Invalid, err, "the schema of its arguments")
	}
	if len(t.OutputSchema) > 0 {
		out, err = schema.Parse(t.OutputSchema)
		if err != nil {
			return nil, nil, fault.Wrap(fault.Invalid, err, "the schema of its result")
		}
	}
	return in, out, nil
}

// An Entry is a registered tool. It does not change.
type Entry struct {
	name, description string
	kind              EntryKind // empty for a tool
	path              []string
	input, output     *schema.Schema
	stub              string
	origin            string
	handler           Handler
	streaming         bool
	source            Source // nil if the application added it itself

	given, policy Policy        // as registered, and in force
	places        chan struct{} // one for each call in the handler; nil for no bound
}

// Name is the registered name.
func (e *Entry) Name() string { return e.name }

// PythonPath is the name as a program spells it, a Python identifier for each namespace
// and one for the tool: tools.github.get_issue has the path "github", "get_issue".
func (e *Entry) PythonPath() []string { return slices.Clone(e.path) }

// Description is what the tool does, in its author's words.
func (e *Entry) Description() string { return e.description }

// Input is the schema of the arguments.
func (e *Entry) Input() *schema.Schema { return e.input }

// Streaming says whether the tool gives rows, to be read with Registry.Rows.
func (e *Entry) Streaming() bool { return e.streaming }

// Output is the schema of the result, or of a row; nil if nothing is known about it.
func (e *Entry) Output() *schema.Schema { return e.output }

// Parameters are the arguments in the order in which positional ones are bound.
func (e *Entry) Parameters() []schema.Parameter { return e.input.Parameters() }

// Stub is the tool as a Python function with a doc string and no body.
func (e *Entry) Stub() string { return e.stub }

// Policy is the one in force.
func (e *Entry) Policy() Policy { return e.policy }

// Doc is the tool as package schema describes it.
func (e *Entry) Doc() schema.ToolDoc {
	return schema.ToolDoc{
		Name: e.name, PythonName: e.spelling(), Description: e.description, In: e.input, Out: e.output,
		Streaming: e.streaming,
	}
}

// Connected says whether there is a function to call.
func (e *Entry) Connected() bool { return e.handler != nil }

// Origin says where the tool comes from, for messages: the file and line of the
// registration, unless Tool.Origin said otherwise.
func (e *Entry) Origin() string { return e.origin }

func (e *Entry) spelling() string { return strings.Join(e.path, ".") }

// pythonPath spells a name for Python.
func pythonPath(name string) []string {
	path := strings.Split(name, ".")
	for i, part := range path {
		path[i] = schema.PythonName(part)
	}
	return path
}
