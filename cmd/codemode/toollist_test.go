package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/codemode-sdk/codemode/registry"
)

func TestToolListsInEverySpelling(t *testing.T) {
	const input = `{"type":"object","properties":{"x":{"type":"string"}}}`
	tests := []struct {
		name, text string
		want       []listedTool
	}{
		{"an MCP reply", `{"tools":[{"name":"a","description":"A.","inputSchema":` + input + `}]}`,
			[]listedTool{{name: "a", description: "A.", input: json.RawMessage(input)}}},
		{"a JSON-RPC message", `{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"a"}]}}`,
			[]listedTool{{name: "a"}}},
		{"a bare array", ` [{"name":"a"},{"name":"b"}]`, []listedTool{{name: "a"}, {name: "b"}}},
		{"one tool", `{"name":"a","outputSchema":` + input + `}`,
			[]listedTool{{name: "a", output: json.RawMessage(input)}}},
		{"an empty list", `{"tools":[]}`, nil},
		{"Anthropic's", `[{"name":"a","input_schema":` + input + `}]`, []listedTool{{name: "a", input: json.RawMessage(input)}}},
		{"OpenAI's chat completions", `[{"type":"function","function":{"name":"a","description":"A.","parameters":` + input + `}}]`,
			[]listedTool{{name: "a", description: "A.", input: json.RawMessage(input)}}},
		{"OpenAI's responses", `[{"type":"function","name":"a","parameters":` + input + `,"strict":true}]`,
			[]listedTool{{name: "a", input: json.RawMessage(input)}}},
		{"null schemas", `[{"name":"a","inputSchema":null,"parameters":` + input + `}]`,
			[]listedTool{{name: "a", input: json.RawMessage(input)}}},
		{"a title and no description", `[{"name":"a","title":"The A"}]`, []listedTool{{name: "a", description: "The A"}}},
		{"a byte order mark", "\xef\xbb\xbf[{\"name\":\"a\"}]", []listedTool{{name: "a"}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			list, err := parseToolList([]byte(test.text))
			if err != nil {
				t.Fatal(err)
			}
			var got []listedTool
			for _, entry := range list.entries {
				tool, err := readListedTool(entry)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, tool)
			}
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(listedTool{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestToolListsThatAreNone(t *testing.T) {
	tests := map[string]string{
		"":                                "is empty",
		"{\n\"tools\": [,]}":              "is not JSON: line 2:",
		"7":                               "neither a JSON object nor an array",
		`{}`:                              `no "tools"`,
		`{"tools":{}}`:                    `"tools" is not an array`,
		`{"error":{"message":"no!"}}`:     "refusal: no!",
		`[7]`:                             "entry 0: is not an object",
		`[{}]`:                            "entry 0: has no name",
		`[{"name":7}]`:                    `entry 0: "name" is a number, not a string`,
		`[{"type":"web_search"}]`:         `entry 0: is of type "web_search"`,
		`[{"name":"a"},{"name":"a"}]`:     `entry 1: there is already a tool of this name, from`,
		`[{"name":"a b"},{"name":"a_b"}]`: `cannot register the tool "a_b"`,
		`[{"name":"a","inputSchema":{"type":"string"}}]`:                  `entry 0: tool 'a': `,
		`[{"type":"function","function":{"description":"nameless"}}]`:     "entry 0: has no name",
		`[{"name":"ok"},{"name":"a","inputSchema":{"$ref":"#/nowhere"}}]`: `entry 1: the schema of its arguments`,
	}
	for text, want := range tests {
		file := filepath.Join(t.TempDir(), "list.json")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := registerLists(registry.New(), []string{file})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n got %v\nwant %s", text, err, want)
		}
	}
}

func TestAPageOfAListSaysThatItIsNotAll(t *testing.T) {
	file := filepath.Join(t.TempDir(), "page.json")
	if err := os.WriteFile(file, []byte(`{"tools":[{"name":"a"}],"nextCursor":"2"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	notes, err := registerLists(registry.New(), []string{file})
	if err != nil || len(notes) != 1 || !strings.Contains(notes[0], "nextCursor") {
		t.Errorf("notes %q, error %v", notes, err)
	}
}

// TestPublishedToolListsAreAccepted reads every list in the tree, and those below the
// directory that CODEMODE_TOOL_LISTS names.
func TestPublishedToolListsAreAccepted(t *testing.T) {
	directories := []string{"testdata/lists", "../../schema/testdata/lists"}
	if extra := os.Getenv("CODEMODE_TOOL_LISTS"); extra != "" {
		directories = append(directories, extra)
		below, err := filepath.Glob(filepath.Join(extra, "*", "*.snap"))
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, file := range below {
			if dir := filepath.Dir(file); !seen[dir] {
				seen[dir] = true
				directories = append(directories, dir)
			}
		}
	}
	for _, directory := range directories {
		reg := registry.New()
		if _, err := registerLists(reg, []string{directory}); err != nil {
			t.Errorf("%s: %v", directory, err)
		}
		if len(reg.Entries()) == 0 {
			t.Errorf("%s: no tools", directory)
		}
	}
}

func FuzzParseToolList(f *testing.F) {
	for _, seed := range []string{
		`{"tools":[{"name":"a","inputSchema":{"type":"object"}}],"nextCursor":"x"}`,
		`{"result":{"tools":[{"name":"a"}]}}`, `[{"type":"function","function":{"name":"a","parameters":null}}]`, `{"name":1}`, `[[]]`,
		`{"result":{"result":{"tools":[]}}}`, `{"function":{"function":{"name":"a"}}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := parseToolList(data)
		if err != nil {
			return
		}
		for _, entry := range list.entries {
			tool, err := readListedTool(entry)
			if err == nil && tool.name == "" {
				t.Errorf("a tool without a name, and no error: %s", entry)
			}
		}
	})
}
