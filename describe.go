package codemode

import (
	"strings"

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

// Description is what the model is told about the function tool: how to write the
// program, and a Python stub for each registered tool. The same tools give the same
// bytes, so that prompt caches hold.
func (c *Codemode) Description() (string, error) {
	stubs, err := c.Stubs()
	if err != nil {
		return "", err
	}
	if stubs == "" {
		return guide + "\n\nNo tools are registered.", nil
	}
	return guide + "\n\nThe tools:\n\n" + fence + "python\n" + strings.TrimRight(stubs, "\n") + "\n" + fence, nil
}

// Stubs is the registered tools as a Python module.
func (c *Codemode) Stubs() (string, error) {
	entries := c.registry.Entries()
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
	return schema.Module(docs)
}
