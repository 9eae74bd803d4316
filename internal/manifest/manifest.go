// Package manifest writes what the runner reads of the tools that a program may call; see
// sidecar/runner/tools.py.
package manifest

import (
	"encoding/json"

	codemodev1 "github.com/codemode-sdk/codemode/internal/gen/codemode/v1"
)

// Encode writes the tools that a program is given when it starts. With more, it can ask
// for others.
func Encode(tools []*codemodev1.Tool, more bool) ([]byte, error) {
	if len(tools) == 0 && !more {
		return nil, nil
	}
	if len(tools) == 0 {
		return []byte(`{"more":true,"tools":[]}`), nil // as most programs have it
	}
	entries := make([][]any, len(tools))
	for i, tool := range tools {
		entries[i] = Entry(tool)
	}
	return json.Marshal(map[string]any{"tools": entries, "more": more})
}

// Entry is one tool, as the arguments that the runner makes its own of.
func Entry(tool *codemodev1.Tool) []any {
	parameters, required := make([][2]string, len(tool.GetParameters())), []string{}
	for i, parameter := range tool.GetParameters() {
		python := parameter.GetPythonName()
		if python == "" {
			python = parameter.GetName()
		}
		parameters[i] = [2]string{parameter.GetName(), python}
		if parameter.GetRequired() {
			required = append(required, parameter.GetName())
		}
	}
	path := tool.GetPath()
	if len(path) == 0 {
		path = []string{tool.GetName()}
	}
	return []any{tool.GetName(), parameters, required, tool.GetExtraArguments(), tool.GetStub(), path, tool.GetStreaming()}
}
