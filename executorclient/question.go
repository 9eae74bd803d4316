package executorclient

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/codemode-sdk/codemode/internal/fault"
	codemodev1 "github.com/codemode-sdk/codemode/internal/gen/codemode/v1"
	"github.com/codemode-sdk/codemode/internal/manifest"
	"github.com/codemode-sdk/codemode/registry"
	"github.com/codemode-sdk/codemode/schema"
)

// Bounds on what a program may ask about the tools at once, and is told.
const (
	questionPaths  = 256
	questionDepth  = 64 // names of a path
	defaultResults = 10
	maxResults     = 100
	answerLimit    = 256 << 10 // bytes of descriptions
)

// A question is what a program wants to know of the tools besides those it came with;
// see ToolCall in executor.proto, which lists the forms.
type question struct {
	Ask    string            `json:"ask"`
	Paths  []json.RawMessage `json:"paths"`
	Path   []string          `json:"path"`
	Name   string            `json:"name"`
	Query  string            `json:"query"`
	Limit  int               `json:"limit"`
	Detail string            `json:"detail"`
}

// takeQuestion answers one, which is no call of a tool and not recorded as one.
func (r *run) takeQuestion(ctx context.Context, call *codemodev1.ToolCall) error {
	if call.GetMore() {
		return fault.New(fault.Unavailable, "the executor sent a question about tools that is too long")
	}
	if !r.client.begin() {
		return nil // closed: the stream is about to end
	}
	go func() {
		defer r.client.calls.Done()
		reply := &codemodev1.ToolResult{Id: call.GetId()}
		answer, err := answerQuestion(r.tools, call.GetArguments())
		if err == nil {
			err = r.checkSize("answer", len(answer))
		}
		if err == nil {
			reply.Outcome = &codemodev1.ToolResult_Value{Value: answer}
		} else {
			reply.Outcome = &codemodev1.ToolResult_Failure{Failure: asFailure(err)}
		}
		if ctx.Err() == nil {
			// An error means that the stream has ended, which Recv reports.
			_ = r.sendResult(reply)
		}
	}()
	return nil
}

func answerQuestion(tools *registry.View, text []byte) ([]byte, error) {
	var q question
	if tools == nil {
		return nil, wrongQuestion("there are no tools")
	}
	if err := json.Unmarshal(text, &q); err != nil {
		return nil, wrongQuestion("it cannot be read: %v", err)
	}
	var answer any
	var err error
	switch q.Ask {
	case "resolve":
		answer, err = resolve(tools, q.Paths)
	case "members":
		answer = append([]string{}, tools.Members(q.Path...)...)
	case "names":
		answer = tools.Names()
	case "stub":
		entry, ok := tools.Lookup(q.Name)
		if !ok {
			return nil, wrongQuestion("there is no tool %q", q.Name)
		}
		answer = entry.Stub()
	case "search":
		answer, err = Search(tools, q.Query, q.Limit, q.Detail)
	default:
		err = wrongQuestion("an unknown one, %q", q.Ask)
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(answer)
}

func wrongQuestion(format string, args ...any) error {
	return &registry.ToolError{
		Tool: "tools", Kind: registry.KindInvalidArguments, Message: "a question about the tools: " + fmt.Sprintf(format, args...),
	}
}

// A resolved path: how many of its names lead somewhere, the tool there, whether there
// are tools below, and what may have been meant where it leads no further.
type resolved struct {
	Depth int      `json:"depth"`
	Tool  []any    `json:"tool"`
	Space bool     `json:"space"`
	Near  []string `json:"near,omitempty"`
}

// resolve follows paths, which are lists of Python names, or registered names.
func resolve(tools *registry.View, paths []json.RawMessage) ([]resolved, error) {
	if len(paths) > questionPaths {
		return nil, wrongQuestion("it has %d paths; the limit is %d", len(paths), questionPaths)
	}
	answers := make([]resolved, len(paths))
	for i, raw := range paths {
		var name string
		if json.Unmarshal(raw, &name) == nil {
			entry, ok := tools.Lookup(name)
			if !ok {
				answers[i].Near = tools.Near(name)
				continue
			}
			answers[i] = resolved{Depth: 1, Tool: manifest.Entry(toolOf(entry))}
			continue
		}
		var path []string
		if err := json.Unmarshal(raw, &path); err != nil || len(path) > questionDepth {
			return nil, wrongQuestion("a path that is no list of at most %d names", questionDepth)
		}
		at := tools.Resolve(path)
		answers[i] = resolved{Depth: at.Depth, Space: at.Namespace}
		if at.Entry != nil {
			answers[i].Tool = manifest.Entry(toolOf(at.Entry))
		} else if at.Depth < len(path) {
			for _, name := range tools.Near(strings.Join(path, ".")) {
				if entry, ok := tools.Lookup(name); ok {
					answers[i].Near = append(answers[i].Near, strings.Join(entry.PythonPath(), "."))
				}
			}
		}
	}
	return answers, nil
}

// Search gives what a model is told of the tools that fit a query, the best first: their
// names ("names"), a line each ("brief", or empty), or their stubs ("full"). Zero is a
// limit of ten; the most is a hundred, and 256 KiB in all. The error of another detail
// has the code fault.Tool.
func Search(tools *registry.View, query string, limit int, detail string) ([]string, error) {
	if limit <= 0 {
		limit = defaultResults
	}
	list, size := []string{}, 0
	for _, entry := range tools.Search(query, min(limit, maxResults)) {
		var text string
		switch detail {
		case "names":
			text = entry.Name()
		case "", "brief":
			line, err := schema.Signature(entry.Doc())
			if err != nil {
				return nil, err
			}
			text = line
		case "full":
			text = "# tools." + strings.Join(entry.PythonPath(), ".") + "\n" + entry.Stub()
		default:
			return nil, wrongQuestion("the detail %q is none of names, brief and full", detail)
		}
		if size += len(text); size > answerLimit {
			break
		}
		list = append(list, text)
	}
	return list, nil
}

func toolOf(entry *registry.Entry) *codemodev1.Tool {
	tool := &codemodev1.Tool{Name: entry.Name(), Path: entry.PythonPath(), ExtraArguments: entry.Input().ExtraArguments(), Streaming: entry.Streaming()}
	for _, parameter := range entry.Parameters() {
		tool.Parameters = append(tool.Parameters, &codemodev1.Parameter{
			Name: parameter.Name, PythonName: parameter.PythonName, Required: parameter.Required,
		})
	}
	return tool
}
