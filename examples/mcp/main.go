// Mcp uses an MCP server's tools from a Python program. The server is this program too,
// started with the argument "serve" and speaking MCP on its standard input and output:
//
//	go run ./examples/mcp
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/adapters/mcp"
	"github.com/codemode-sdk/codemode/registry"
	_ "github.com/codemode-sdk/codemode/sidecar/embeddedpython"
)

func main() {
	ctx := context.Background()
	if len(os.Args) > 1 && os.Args[1] == "serve" {
		log.Fatal(serve(ctx))
	}
	text, err := run(ctx, os.Args[0], "serve")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(text)
}

// run calls the tools of the server that a command starts.
func run(ctx context.Context, command string, args ...string) (text string, err error) {
	reg := registry.New()
	reg.Attach(&mcp.Source{Name: "library", Command: command, Args: args})
	cm, err := codemode.New(codemode.Options{Registry: reg})
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, cm.Close()) }()
	result, err := cm.Execute(ctx, `
import asyncio
found = await asyncio.gather(*[tools.library.search.arun(author=a) for a in ("Lem", "Le Guin")])
sorted(book for result in found for book in result["titles"])`)
	if err != nil {
		return "", err
	}
	return result.Text(), nil
}

type query struct {
	Author string `json:"author" jsonschema:"an author's last name"`
}

type books struct {
	Titles []string `json:"titles"`
}

var shelf = map[string][]string{"Lem": {"Solaris", "Fiasco"}, "Le Guin": {"The Dispossessed"}}

func serve(ctx context.Context) error {
	server := sdk.NewServer(&sdk.Implementation{Name: "library", Version: "1"}, nil)
	sdk.AddTool(server, &sdk.Tool{Name: "search", Description: "Lists the books of an author."},
		func(_ context.Context, _ *sdk.CallToolRequest, q query) (*sdk.CallToolResult, books, error) {
			titles, ok := shelf[q.Author]
			if !ok {
				return nil, books{}, errors.New("nothing of " + strings.TrimSpace(q.Author))
			}
			return nil, books{titles}, nil
		})
	return server.Run(ctx, &sdk.StdioTransport{})
}
