package codemode

import (
	"encoding/json"
	"strings"

	"github.com/codemode-sdk/codemode/registry"
	"github.com/codemode-sdk/codemode/schema"
)

// guide is how to write the program, in what models have been seen to obey.
const guide = `Run a Python program that calls tools, and get back what it prints and its result.
Prefer one program that does the whole job over many small ones: loop, filter and combine inside it, and return only what you need.

- Call a tool as tools.name(argument=value). The value it gives is already a Python value (dict, list, str, ...): do not parse it as JSON.
- Calls in parallel: results = await asyncio.gather(*[tools.name.arun(x=x) for x in xs]). Top-level await works.
- A failing tool raises ToolError (with .tool, .kind and .message); catch it where you can go on.
- The result is the value of the last expression (or of a top-level return). print() is shown too.
- This is real CPython with its standard library. There is no network, no subprocess, and no file but those the program makes itself; use the tools instead.
- Each run starts afresh: nothing is kept from one to the next.`

// Describe gives the function tool for a set of tools without an executor: what the model
// would be shown. Its Call is nil. If name is empty, DefaultToolName. The same tools give
// the same bytes, so that prompt caches hold.
func Describe(reg *registry.Registry, name string) (Tool, error) {
	if name == "" {
		name = DefaultToolName
	}
	if err := checkToolName(name); err != nil {
		return Tool{}, err
	}
	stubs, err := pythonOf(reg, schema.Outline)
	if err != nil {
		return Tool{}, err
	}
	tool := Tool{Name: name, Description: guide, Parameters: json.RawMessage(toolParameters)}
	if stubs == "" {
		tool.Description += "\n\nNo tools are registered."
	} else {
		tool.Description += "\n\nThe tools:\n\n" + fence + "python\n" + strings.TrimRight(stubs, "\n") + "\n" + fence
	}
	return tool, nil
}

// Stubs gives a set of tools as a Python module for type checkers and editors; empty if
// there are none. An error is that of a registration that failed.
func Stubs(reg *registry.Registry) (string, error) { return pythonOf(reg, schema.Module) }

func pythonOf(reg *registry.Registry, write func([]schema.ToolDoc) (string, error)) (string, error) {
	if err := reg.Err(); err != nil {
		return "", err
	}
	entries := reg.Entries()
	if len(entries) == 0 {
		return "", nil
	}
	docs := make([]schema.ToolDoc, len(entries))
	for i, entry := range entries {
		docs[i] = schema.ToolDoc{
			Name: entry.Name(), Description: entry.Description(),
			PythonName: strings.Join(entry.PythonPath(), "."), In: entry.Input(), Out: entry.Output(),
		}
	}
	return write(docs)
}

// Description is what the model is told about the function tool: how to write the
// program, and a Python stub for each registered tool.
func (c *Codemode) Description() (string, error) {
	tool, err := c.Tool()
	return tool.Description, err
}

// Stubs is the registered tools as a Python module.
func (c *Codemode) Stubs() (string, error) { return Stubs(c.registry) }
