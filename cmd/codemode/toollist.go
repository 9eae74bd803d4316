package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/codemode-sdk/codemode/registry"
)

// maxToolList bounds one file of tools, in bytes.
const maxToolList = 64 << 20

// A listedTool is one tool as some server or framework describes it.
type listedTool struct {
	name, description string
	input, output     json.RawMessage
}

// registerLists reads tools from files, and from directories of them, into a registry.
// They have no implementation: a program that calls one gets a ToolError. The error
// names every entry that cannot be used; notes are what a reader should know otherwise.
func registerLists(reg *registry.Registry, paths []string) (notes []string, err error) {
	files, err := listFiles(paths)
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, file := range files {
		list, err := readListFile(file)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", file, err))
			continue
		}
		if list.next != "" {
			notes = append(notes, file+": the list is one page of several: its nextCursor is set")
		}
		for i, entry := range list.entries {
			place := fmt.Sprintf("%s: entry %d", file, i)
			tool, err := readListedTool(entry)
			if tool.name != "" {
				place += fmt.Sprintf(" (%q)", shorten(tool.name))
			}
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", place, err))
				continue
			}
			errs = append(errs, reg.Add(registry.Tool{ // which names the tool and its origin
				Name: tool.name, Description: tool.description,
				InputSchema: tool.input, OutputSchema: tool.output, Origin: fmt.Sprintf("%s, entry %d", file, i),
			}))
		}
	}
	return notes, errors.Join(errs...)
}

// listFiles replaces each directory by the lists in it.
func listFiles(paths []string) ([]string, error) {
	var files []string
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("--tools: %w", err)
		}
		if !info.IsDir() {
			files = append(files, path)
			continue
		}
		entries, err := os.ReadDir(path)
		if err != nil {
			return nil, fmt.Errorf("--tools: %w", err)
		}
		found := len(files)
		for _, entry := range entries {
			if extension := filepath.Ext(entry.Name()); !entry.IsDir() && (extension == ".json" || extension == ".snap") {
				files = append(files, filepath.Join(path, entry.Name()))
			}
		}
		if len(files) == found {
			return nil, fmt.Errorf("--tools: the directory %s holds no .json and no .snap file", path)
		}
	}
	return files, nil
}

// A toolList is a file's entries, not yet looked into.
type toolList struct {
	entries []json.RawMessage
	next    string // where the list goes on, if this is only a page of it
}

func readListFile(path string) (toolList, error) {
	f, err := os.Open(path)
	if err != nil {
		return toolList{}, err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxToolList+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return toolList{}, err
	}
	if len(data) > maxToolList {
		return toolList{}, fmt.Errorf("has more than %d MiB", maxToolList>>20)
	}
	return parseToolList(data)
}

// parseToolList takes a tools/list reply of MCP, with or without the JSON-RPC message
// around it, a bare array of tools, or one tool.
func parseToolList(data []byte) (toolList, error) {
	data = bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")))
	if len(data) == 0 {
		return toolList{}, errors.New("is empty")
	}
	if err := checkJSON(data); err != nil {
		return toolList{}, err
	}
	if data[0] == '[' {
		var list toolList
		return list, json.Unmarshal(data, &list.entries)
	}
	var reply struct {
		Result json.RawMessage           `json:"result"`
		Error  *struct{ Message string } `json:"error"`
		Tools  json.RawMessage           `json:"tools"`
		Next   string                    `json:"nextCursor"`
		Name   json.RawMessage           `json:"name"`
		Type   json.RawMessage           `json:"type"`
	}
	if data[0] != '{' {
		return toolList{}, errors.New("is not a list of tools: neither a JSON object nor an array")
	}
	if err := json.Unmarshal(data, &reply); err != nil {
		return toolList{}, fmt.Errorf("is not a list of tools: %w", plainJSONError(err))
	}
	switch {
	case reply.Tools != nil:
		list := toolList{next: reply.Next}
		if err := json.Unmarshal(reply.Tools, &list.entries); err != nil {
			return toolList{}, fmt.Errorf(`"tools" is not an array`)
		}
		return list, nil
	case reply.Name != nil || reply.Type != nil:
		return toolList{entries: []json.RawMessage{data}}, nil
	case len(reply.Result) > 0 && reply.Result[0] == '{' && bytes.Contains(reply.Result, []byte(`"tools"`)):
		return parseToolList(reply.Result)
	case reply.Error != nil:
		return toolList{}, fmt.Errorf("is a server's refusal: %s", shorten(reply.Error.Message))
	}
	return toolList{}, errors.New(`is not a list of tools: no "tools", and no "name" of a single one`)
}

// readListedTool takes the spellings of MCP, Anthropic, and OpenAI's two. The name is
// given with an error too, where there is one.
func readListedTool(entry json.RawMessage) (listedTool, error) {
	var t struct {
		Type         string          `json:"type"`
		Name         string          `json:"name"`
		Title        string          `json:"title"`
		Description  string          `json:"description"`
		InputSchema  json.RawMessage `json:"inputSchema"`
		OutputSchema json.RawMessage `json:"outputSchema"`
		Input        json.RawMessage `json:"input_schema"`
		Output       json.RawMessage `json:"output_schema"`
		Parameters   json.RawMessage `json:"parameters"`
		Function     json.RawMessage `json:"function"`
	}
	if trimmed := bytes.TrimSpace(entry); len(trimmed) == 0 || trimmed[0] != '{' {
		return listedTool{}, errors.New("is not an object")
	}
	if err := json.Unmarshal(entry, &t); err != nil {
		return listedTool{name: t.Name}, plainJSONError(err)
	}
	if present(t.Function) {
		return readListedTool(t.Function)
	}
	tool := listedTool{name: t.Name, description: t.Description}
	if t.Type != "" && t.Type != "function" && t.Type != "custom" || t.Type == "custom" && !present(t.Input) {
		return tool, fmt.Errorf("is of type %q, which is not one that a program could call", shorten(t.Type))
	}
	if tool.name == "" {
		return tool, errors.New("has no name")
	}
	if tool.description == "" {
		tool.description = t.Title
	}
	for _, schema := range []json.RawMessage{t.InputSchema, t.Input, t.Parameters} {
		if present(schema) {
			tool.input = schema
			break
		}
	}
	for _, schema := range []json.RawMessage{t.OutputSchema, t.Output} {
		if present(schema) {
			tool.output = schema
			break
		}
	}
	return tool, nil
}

func present(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != "null" }

// checkJSON says in which line a file stops being JSON.
func checkJSON(data []byte) error {
	var whole json.RawMessage
	err := json.Unmarshal(data, &whole)
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		end := min(int(syntax.Offset), len(data))
		return fmt.Errorf("is not JSON: line %d: %w", 1+bytes.Count(data[:end], []byte("\n")), syntax)
	}
	return err
}

// plainJSONError says what a field should have been, without Go's names for it.
func plainJSONError(err error) error {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%q is a %s, not a %s", wrong.Field, wrong.Value, wrong.Type)
	}
	return err
}

// shorten bounds foreign text in a message.
func shorten(text string) string {
	const most = 100
	text = strings.ToValidUTF8(text, "\uFFFD")
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "..."
	}
	return text
}
