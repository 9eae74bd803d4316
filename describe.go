package codemode

import (
	"encoding/json"
	"fmt"
	"slices"
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

// How the tools are shown, by how many there are. Each is a step towards less: everything
// about a few, the signatures of many, how to find one among more.
const (
	helpNote   = "- help(tools.name) prints everything about a tool; tools.search('words') finds tools by what they do."
	searchNote = "- There are %d tools, too many to show here. print(tools.search('create an issue')) lists those that fit with their signatures, the best first; search(words, limit=10, detail='names'|'brief'|'full'). help(tools.name) prints everything about one."

	// Of what only some registries have.
	streamNote     = "\n- A tool whose result is an Iterator gives rows: for row in tools.name(...)."
	agentNote      = "\n- Agents are called as agents.name(...); each does a task on its own, and may take long."
	searchToolNote = "\n- The function %s searches the tools without a program."

	// maxFull and maxInline bound the outline of the tools, in bytes: with everything that
	// is said of them, and with the first sentence.
	maxFull   = 6 << 10
	maxInline = 48 << 10
	// briefest is how much shorter than the stubs an outline may be at best.
	briefest = 8
)

// Describe gives the function tool for a set of tools without an executor: what the model
// would be shown. Its Call is nil. If name is empty, DefaultToolName. The same tools give
// the same bytes, so that prompt caches hold.
//
// A few tools are shown with all that is said of them, more with a signature and a
// sentence each. From maxInline on there are only their namespaces and names, at most
// 1,500 tokens for any number of tools, and how to search them.
func Describe(reg *registry.Registry, name string) (Tool, error) {
	if name == "" {
		name = DefaultToolName
	}
	if err := checkToolName(name); err != nil {
		return Tool{}, err
	}
	return describe(reg, name, "")
}

// describe mentions the function tool search, if there is one.
func describe(reg *registry.Registry, name, search string) (Tool, error) {
	entries, docs, err := documented(reg)
	if err != nil {
		return Tool{}, err
	}
	text, err := shown(entries, docs, search)
	if err != nil {
		return Tool{}, err
	}
	return Tool{Name: name, Description: guide + text, Parameters: json.RawMessage(toolParameters)}, nil
}

// shown is the part of the description that is about the tools.
func shown(entries []*registry.Entry, docs []schema.ToolDoc, search string) (string, error) {
	if len(entries) == 0 {
		return "\n\nNo tools are registered.", nil
	}
	beside := kindNotes(entries)
	if search != "" {
		beside += fmt.Sprintf(searchToolNote, search)
	}
	size := 0
	for _, entry := range entries {
		size += len(entry.Stub())
	}
	for _, form := range []struct {
		brief bool
		limit int
	}{{false, maxFull}, {true, maxInline}} {
		if size > briefest*form.limit {
			continue
		}
		outline, err := schema.Outline(docs, form.brief)
		if err != nil {
			return "", err
		}
		if len(outline) <= form.limit {
			return beside + "\n" + helpNote + "\n\nThe tools. " + schema.Legend + "\n\n" +
				fence + "python\n" + strings.TrimRight(outline, "\n") + "\n" + fence, nil
		}
	}
	list, err := catalogue(entries, docs)
	if err != nil {
		return "", err
	}
	return beside + "\n" + fmt.Sprintf(searchNote, len(entries)) + "\n\nIn signatures: " + schema.Legend + "\n\nThe tools:\n" + list, nil
}

// kindNotes are the lines of the guide about what is there besides ordinary tools.
func kindNotes(entries []*registry.Entry) (notes string) {
	if slices.ContainsFunc(entries, (*registry.Entry).Streaming) {
		notes += streamNote
	}
	if slices.ContainsFunc(entries, func(e *registry.Entry) bool { return e.Kind() == registry.EntryAgent }) {
		notes += agentNote
	}
	return notes
}

// Stubs gives a set of tools as a Python module for type checkers and editors; empty if
// there are none. An error is that of a registration that failed.
func Stubs(reg *registry.Registry) (string, error) {
	_, docs, err := documented(reg)
	if err != nil || len(docs) == 0 {
		return "", err
	}
	return schema.Module(docs)
}

func documented(reg *registry.Registry) ([]*registry.Entry, []schema.ToolDoc, error) {
	if err := reg.Err(); err != nil {
		return nil, nil, err
	}
	entries := slices.DeleteFunc(reg.Entries(), func(e *registry.Entry) bool { return e.Policy().Hidden })
	docs := make([]schema.ToolDoc, len(entries))
	for i, entry := range entries {
		docs[i] = entry.Doc()
	}
	return entries, docs, nil
}

// Description is what the model is told about the function tool: how to write the
// program, and a Python stub for each registered tool.
func (c *Codemode) Description() (string, error) {
	tool, err := c.Tool()
	return tool.Description, err
}

// Stubs is the registered tools as a Python module.
func (c *Codemode) Stubs() (string, error) { return Stubs(c.registry) }
