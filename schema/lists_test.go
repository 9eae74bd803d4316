package schema_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/codemode-sdk/codemode/schema"
)

// rawTool is a tool as MCP servers list them.
type rawTool struct {
	Name, Description         string
	InputSchema, OutputSchema json.RawMessage
}

// toolLists reads every list below testdata/lists, and below the directory that
// CODEMODE_TOOL_LISTS names.
func toolLists(t testing.TB) map[string][]rawTool {
	t.Helper()
	lists := map[string][]rawTool{}
	dirs := []string{"testdata/lists"}
	if extra := os.Getenv("CODEMODE_TOOL_LISTS"); extra != "" {
		dirs = append(dirs, extra)
	}
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			ext := filepath.Ext(path)
			if ext != ".json" && ext != ".snap" {
				return nil
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			name := strings.TrimSuffix(filepath.Base(path), ext)
			if ext == ".snap" { // one tool a file: together they are one server's
				name = filepath.Base(filepath.Dir(path))
			}
			lists[name] = append(lists[name], decodeTools(t, path, data)...)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return lists
}

func decodeTools(t testing.TB, path string, data []byte) []rawTool {
	var reply struct{ Tools []rawTool }
	if json.Unmarshal(data, &reply) == nil && len(reply.Tools) > 0 {
		return reply.Tools
	}
	var bare []rawTool
	if json.Unmarshal(data, &bare) == nil {
		return bare
	}
	var one rawTool
	if err := json.Unmarshal(data, &one); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return []rawTool{one}
}

func toolDocs(t testing.TB, namespace string, tools []rawTool) []schema.ToolDoc {
	t.Helper()
	var docs []schema.ToolDoc
	for _, tool := range tools {
		in, err := schema.Parse(tool.InputSchema)
		if err != nil {
			t.Errorf("%s: %v", tool.Name, err)
			continue
		}
		doc := schema.ToolDoc{Name: namespace + tool.Name, Description: tool.Description, In: in}
		if len(tool.OutputSchema) > 0 {
			if doc.Out, err = schema.Parse(tool.OutputSchema); err != nil {
				t.Errorf("%s: %v", tool.Name, err)
			}
		}
		docs = append(docs, doc)
	}
	return docs
}
