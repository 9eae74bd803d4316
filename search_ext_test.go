package codemode_test

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/registry"
)

// githubTools are the 117 tools of GitHub's server.
func githubTools(t *testing.T) *registry.Registry {
	t.Helper()
	lists := os.Getenv("CODEMODE_TOOL_LISTS")
	files, err := filepath.Glob(filepath.Join(lists, "github", "*.snap"))
	if lists == "" || err != nil || len(files) == 0 {
		t.Skip("CODEMODE_TOOL_LISTS names no directory with the tools of GitHub's server")
	}
	reg := registry.New()
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var tool listedTool
		if err := json.Unmarshal(data, &tool); err != nil {
			t.Fatal(err)
		}
		addListed(t, reg, tool)
	}
	return reg
}

// What a model types when it looks for a tool, and the tool that it needs.
func TestSearchPutsFirstWhatTheModelLooksFor(t *testing.T) {
	view := githubTools(t).View()
	for query, want := range map[string]string{
		"merge a pull request":                 "merge_pull_request",
		"create a branch":                      "create_branch",
		"fork a repository":                    "fork_repository",
		"create repository":                    "create_repository",
		"the contents of a file":               "get_file_contents",
		"delete file":                          "delete_file",
		"search code":                          "search_code",
		"star a repository":                    "star_repository",
		"list commits":                         "list_commits",
		"the authenticated user":               "get_me",
		"comment on an issue":                  "add_issue_comment",
		"latest release":                       "get_latest_release",
		"code scanning alerts":                 "list_code_scanning_alerts",
		"mark all notifications as read":       "mark_all_notifications_read",
		"assign copilot to an issue":           "assign_copilot_to_issue",
		"tools.get_commit":                     "get_commit",
		"find users":                           "search_users",
		"pushes several files in one commit":   "push_files",
		"secret scanning alert, a single one":  "get_secret_scanning_alert",
		"update the branch of a pull request ": "update_pull_request_branch",
	} {
		var names []string
		for _, e := range view.Search(query, 5) {
			names = append(names, e.Name())
		}
		if len(names) == 0 || names[0] != want {
			t.Errorf("%q finds %v; it should find %s first", query, names, want)
		}
	}
}

// The function tool finds what tools.search in a program finds.
func TestTheSearchToolAnswersAsSearchInAProgram(t *testing.T) {
	reg := testTools()
	registry.Func(reg, "vault.add_secret", "Adds what nobody should find.", func(context.Context, struct{}) (int, error) { return 0, nil },
		registry.Policy{Hidden: true})
	cm := open(t, codemode.Options{Registry: reg, SearchTool: "search_tools"})
	tools, err := cm.Tools()
	if err != nil || len(tools) != 2 || tools[1].Name != "search_tools" || !tools[1].Policy.ReadOnly {
		t.Fatalf("the tools are %+v, %v", tools, err)
	}
	if !json.Valid(tools[1].Parameters) || !strings.Contains(tools[0].Description, "search_tools") {
		t.Errorf("the model is not told of it: %s", tools[0].Description)
	}
	for _, detail := range []string{"names", "brief", "full"} {
		arguments, err := json.Marshal(map[string]any{"query": "add", "limit": 2, "detail": detail})
		if err != nil {
			t.Fatal(err)
		}
		replies, err := cm.Dispatch(t.Context(), []codemode.FunctionCall{{ID: "1", Name: "search_tools", Arguments: string(arguments)}})
		if err != nil {
			t.Fatal(err)
		}
		inside := run(t, cm, fmt.Sprintf("list(tools.search('add', limit=2, detail=%q))", detail))
		var texts []string
		for _, text := range inside.Value.([]any) {
			texts = append(texts, text.(string))
		}
		if diff := cmp.Diff(strings.Join(texts, "\n"), replies[0].Text); diff != "" || len(texts) != 2 {
			t.Errorf("%s (-in a program +the tool):\n%s", detail, diff)
		}
	}
	for arguments, want := range map[string]string{
		"add":                         "tools.add(",
		`"add"`:                       "tools.add(",
		`{"query":"add","limit":"1"}`: "tools.add(",
		`{"query":"add","limit":null,"detail":null}`: "tools.add(",
		`{"__arg1":"add"}`:                           "tools.add(",
		`{"query":"add","limit":-1e300}`:             "tools.add(",
		`{"query":"add","limit":1e300}`:              "tools.add(",
		`{"query":"add","detail":"all"}`:             "ToolError (invalid_arguments): ",
		`{"query":"secret vault"}`:                   "No tool fits.",
		`{"query":`:                                  "No tool fits.",
		"":                                           "Nothing was searched:",
		`{}`:                                         "Nothing was searched:",
		`{"query":" "}`:                              "Nothing was searched:",
		strings.Repeat("\xff\x00", 100_000):          "No tool fits.",
	} {
		if got, err := tools[1].Call(t.Context(), arguments); err != nil || !strings.HasPrefix(got, want) {
			t.Errorf("%.50q gave %q, %v; want %q", arguments, got, err, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got, err := tools[1].Call(ctx, "add"); codemode.CodeOf(err) != codemode.CodeCancelled {
		t.Errorf("after its context had ended it gave %q, %v", got, err)
	}
	if _, err := codemode.New(codemode.Options{SearchTool: codemode.DefaultToolName}); codemode.CodeOf(err) != codemode.CodeInvalid {
		t.Errorf("a name that is taken gave %v", err)
	}
	if _, err := codemode.New(codemode.Options{SearchTool: "search tools"}); codemode.CodeOf(err) != codemode.CodeInvalid {
		t.Errorf("a name that providers refuse gave %v", err)
	}
}

func TestASearchTellsTheModelNoMoreThanItCanRead(t *testing.T) {
	reg := registry.New()
	for i := range 100 {
		addListed(t, reg, listedTool{fmt.Sprintf("find_%d", i), strings.Repeat("Finds things. ", 300), json.RawMessage(`{}`)})
	}
	cm := open(t, codemode.Options{Registry: reg, SearchTool: "search"})
	tools, err := cm.Tools()
	if err != nil {
		t.Fatal(err)
	}
	text, err := tools[1].Call(t.Context(), `{"query":"find","limit":100,"detail":"full"}`)
	if err != nil || len(text) > 40<<10 || !strings.Contains(text, "more are left out") {
		t.Errorf("%d bytes, %v", len(text), err)
	}
}

// The guide speaks only of what is there.
func TestTheGuideSpeaksOfWhatIsThere(t *testing.T) {
	plain, err := shared.Description()
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"for row in", "agents.", "without a program"} {
		if strings.Contains(plain, word) {
			t.Errorf("the guide speaks of %q, and there is no such thing", word)
		}
	}
	reg := testTools()
	registry.Stream(reg, "rows", "", func(context.Context, struct{}) iter.Seq2[int, error] { return func(func(int, error) bool) {} })
	registry.AddAgent(reg, "poet", "Writes poems.", poet{})
	tool, err := codemode.Describe(reg, "")
	if err != nil || !strings.Contains(tool.Description, "for row in tools.name(") || !strings.Contains(tool.Description, "agents.name(") {
		t.Errorf("the guide says nothing of rows or agents, %v:\n%s", err, tool.Description)
	}
}
