package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/codemode-sdk/codemode/internal/scriptedmodel"
)

// libraryArgument makes the test's binary the MCP server that it starts.
const libraryArgument = "serve-library"

type author struct {
	Author string `json:"author"`
}

type books struct {
	Titles []string `json:"titles"`
}

func serveLibrary() error {
	server := sdk.NewServer(&sdk.Implementation{Name: "library", Version: "1"}, nil)
	sdk.AddTool(server, &sdk.Tool{Name: "search", Description: "Lists the books of an author."},
		func(_ context.Context, _ *sdk.CallToolRequest, in author) (*sdk.CallToolResult, books, error) {
			switch in.Author {
			case "Lem":
				return nil, books{[]string{"Solaris", "<b>Fiasco</b>"}}, nil
			case "nobody":
				os.Exit(1) // as a server that has a fault in it
			}
			return nil, books{}, errors.New("nothing of " + in.Author)
		})
	return server.Run(context.Background(), &sdk.StdioTransport{})
}

// configured makes the chat read this as its codemode.yaml.
func configured(t *testing.T, text string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "codemode.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CODEMODE_CONFIG", file)
}

func TestToolsOfMCPServersInTheConfigurationAreThere(t *testing.T) {
	configured(t, fmt.Sprintf("mcp_servers:\n  library:\n    command: %q\n    args: [%s]\n", os.Args[0], libraryArgument))
	a, endpoint := scripted(t, "openai",
		scriptedmodel.Code("a", `found = tools.library.search(author="Lem")["titles"]
try:
    tools.library.search(author="Nemo")
except ToolError as error:
    found.append(error.message)
try:
    tools.library.search(author="nobody")
except ToolError as error:
    found.append(error.kind)
found + tools.library.search(author="Lem")["titles"][:1]`),
		scriptedmodel.Turn{Content: "Two books."},
	)
	events := (&talk{app: a}).mustSay("Which books are there?", nil)
	if text := joined(events, eventText); text != "Two books." {
		t.Errorf("the answer is %q %q", text, joined(events, eventError))
	}
	requests := endpoint.Requests()
	if shown := requests[0].Tools[0].Function.Description; !strings.Contains(shown, "library.search") && !strings.Contains(shown, "class library") {
		t.Errorf("the model is not shown the server's tool:\n%s", shown)
	}
	told := requests[1].Messages[len(requests[1].Messages)-1].Text()
	if want := `["Solaris","<b>Fiasco</b>","nothing of Nemo","unavailable","Solaris"]`; told != want {
		t.Errorf("the model was told %s, want %s", told, want)
	}
	if calls, results := only(events, eventCall), only(events, eventResult); len(calls) != 4 || len(results) != 4 || calls[0].text("tool") != "library.search" {
		t.Errorf("shown were the calls %v and the results %v", calls, results)
	}
}

func TestAnMCPServerThatCannotStartIsNamed(t *testing.T) {
	configured(t, "mcp_servers:\n  library:\n    command: /no/such/server\n")
	set := settings{model: "demo", addr: "127.0.0.1:0", data: t.TempDir(), runTime: patience, approval: patience}
	err := run(t.Context(), set, func(url string) { t.Errorf("it serves at %s", url) })
	if err == nil || !strings.Contains(err.Error(), "library") || !strings.Contains(err.Error(), "/no/such/server") {
		t.Errorf("it ends with %v", err)
	}
}
