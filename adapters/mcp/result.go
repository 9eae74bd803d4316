package mcp

import (
	"encoding/json"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/codemode-sdk/codemode"
)

const (
	// maxPart bounds the result, each output and the traceback in the structured content,
	// in bytes; one that is larger is left out, and named in "omitted". Clients may put
	// all of it before a model.
	maxPart = 64 << 10
	// maxCalls bounds the tool calls that are listed.
	maxCalls = 100
)

// outputSchema describes structured.
const outputSchema = `{"type":"object","properties":{` +
	`"status":{"type":"string","description":"How the run ended: ok, error, timeout, memory_limit, output_limit, cancelled, killed or rejected."},` +
	`"result":{"description":"The value of the program's last expression or return."},` +
	`"stdout":{"type":"string"},"stderr":{"type":"string"},` +
	`"error":{"type":"object","properties":{"type":{"type":"string"},"message":{"type":"string"},"traceback":{"type":"string"},"line":{"type":"integer"}}},` +
	`"tool_calls":{"type":"array","items":{"type":"object","properties":{"tool":{"type":"string"},"error":{"type":"object","properties":{"kind":{"type":"string"},"message":{"type":"string"}}},"start_ms":{"type":"number"},"duration_ms":{"type":"number"}},"required":["tool"]}},` +
	`"truncated":{"type":"boolean","description":"More output was cut off."},` +
	`"omitted":{"type":"array","items":{"type":"string"},"description":"What is left out here for its size."},` +
	`"execution_id":{"type":"string"}},"required":["status"]}`

// structured is a Result without what only the application needs.
type structured struct {
	Status      string                 `json:"status"`
	Result      json.RawMessage        `json:"result,omitempty"`
	Stdout      string                 `json:"stdout,omitempty"`
	Stderr      string                 `json:"stderr,omitempty"`
	Error       *codemode.ProgramError `json:"error,omitempty"`
	ToolCalls   []structuredCall       `json:"tool_calls,omitempty"`
	Truncated   bool                   `json:"truncated,omitempty"`
	Omitted     []string               `json:"omitted,omitempty"`
	ExecutionID string                 `json:"execution_id,omitempty"`
}

type structuredCall struct {
	Tool       string          `json:"tool"`
	Error      json.RawMessage `json:"error,omitempty"`
	StartMS    float64         `json:"start_ms"`
	DurationMS float64         `json:"duration_ms"`
}

// resultOf is a run as clients get it: the text is that for a model.
func resultOf(result *codemode.Result) (*sdk.CallToolResult, error) {
	encoded, err := json.Marshal(result)
	if err != nil {
		return nil, err
	}
	var s structured
	if err := json.Unmarshal(encoded, &s); err != nil {
		return nil, err
	}
	s.bound(result)
	return &sdk.CallToolResult{
		Content:           []sdk.Content{&sdk.TextContent{Text: result.Text()}},
		StructuredContent: s, IsError: result.Status != codemode.StatusOK,
	}, nil
}

func (s *structured) bound(result *codemode.Result) {
	if result.Status != codemode.StatusOK {
		s.Result = nil // there is none
	}
	if len(s.Result) > maxPart {
		s.Result, s.Omitted = nil, append(s.Omitted, "result")
	}
	for _, part := range []struct {
		name string
		text *string
	}{{"stdout", &s.Stdout}, {"stderr", &s.Stderr}} {
		if len(*part.text) > maxPart {
			*part.text, s.Omitted = "", append(s.Omitted, part.name)
		}
	}
	if e := s.Error; e != nil && len(e.Message)+len(e.Traceback) > maxPart {
		s.Error = &codemode.ProgramError{Type: e.Type, Line: e.Line, Message: bounded(e.Message, maxPart/2)}
		s.Omitted = append(s.Omitted, "error.traceback")
	}
	if len(s.ToolCalls) > maxCalls {
		s.ToolCalls, s.Omitted = s.ToolCalls[:maxCalls], append(s.Omitted, "tool_calls")
	}
	for i := range s.ToolCalls {
		call := &s.ToolCalls[i]
		if len(call.Error) > maxPart/maxCalls {
			call.Error = nil
			if made := result.ToolCalls[i].Error; made != nil {
				call.Error, _ = json.Marshal(map[string]string{"kind": made.Kind, "message": bounded(made.Message, maxPart/maxCalls/2)}) // strings
			}
		}
	}
}
