package mcp_test

import (
	"context"
	"fmt"
	"log"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/adapters/mcp"
	"github.com/codemode-sdk/codemode/registry"
)

func ExampleSource() {
	server := sdk.NewServer(&sdk.Implementation{Name: "greeter", Version: "1"}, nil)
	sdk.AddTool(server, &sdk.Tool{Name: "greet"}, func(_ context.Context, _ *sdk.CallToolRequest, in struct {
		Name string `json:"name"`
	}) (*sdk.CallToolResult, any, error) {
		return &sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: "Hello, " + in.Name}}}, nil, nil
	})

	reg := registry.New()
	reg.Attach(inMemory("greeter", server)) // a Source; see its fields Command and URL
	cm, err := codemode.New(codemode.Options{Registry: reg})
	if err != nil {
		log.Fatal(err)
	}
	defer cm.Close()
	result, err := cm.Execute(context.Background(), `[tools.greeter.greet(name=n) for n in ("Ada", "Alan")]`)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Value)
	// Output: [Hello, Ada Hello, Alan]
}

func ExampleNewServer() {
	server, err := mcp.NewServer(cm, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	ctx := context.Background()
	here, there := sdk.NewInMemoryTransports() // in place of an sdk.StdioTransport
	if _, err := server.Connect(ctx, there, nil); err != nil {
		log.Fatal(err)
	}
	client, err := sdk.NewClient(&sdk.Implementation{Name: "client", Version: "1"}, nil).Connect(ctx, here, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	result, err := client.CallTool(ctx, &sdk.CallToolParams{
		Name: "codemode", Arguments: map[string]any{"code": "sum(tools.square(n=n) for n in (3, 4))"},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(textOf(result))
	// Output: 25
}
