package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"
	"strings"
	"sync"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// notesServer is a command: an MCP server with a few tools, on standard input and output.
func notesServer() {
	server := sdk.NewServer(&sdk.Implementation{Name: "notes", Version: "1"}, nil)
	type note struct {
		Text string `json:"text"`
	}
	type notes struct {
		Notes []string `json:"notes"`
	}
	var mu sync.Mutex
	var kept []string
	sdk.AddTool(server, &sdk.Tool{Name: "add-note", Description: "Keeps a note."}, func(_ context.Context, _ *sdk.CallToolRequest, in note) (*sdk.CallToolResult, notes, error) {
		mu.Lock()
		defer mu.Unlock()
		if in.Text == "" {
			return nil, notes{}, errors.New("an empty note")
		}
		kept = append(kept, in.Text)
		return nil, notes{kept}, nil
	})
	sdk.AddTool(server, &sdk.Tool{Name: "wait", Description: "Waits until it is cancelled."}, func(ctx context.Context, _ *sdk.CallToolRequest, _ struct{}) (*sdk.CallToolResult, any, error) {
		<-ctx.Done()
		return nil, nil, ctx.Err()
	})
	if err := server.Run(context.Background(), &sdk.StdioTransport{}); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "notes-server:", err)
	}
}

// mcpClient is a command: a client of the server that its arguments start. It prints what it
// sees of it.
func mcpClient() {
	if err := useServer(context.Background(), os.Args[1:]); err != nil {
		log.Fatal(err)
	}
}

func useServer(ctx context.Context, command []string) error {
	begun := make(chan struct{}, 100)
	client := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "1"}, &sdk.ClientOptions{
		ProgressNotificationHandler: func(_ context.Context, r *sdk.ProgressNotificationClientRequest) {
			if strings.HasSuffix(r.Params.Message, "started") {
				fmt.Println("progress:", r.Params.Message)
				begun <- struct{}{}
			}
		},
	})
	session, err := client.Connect(ctx, &sdk.CommandTransport{Command: exec.Command(command[0], command[1:]...)}, nil)
	if err != nil {
		return err
	}
	defer session.Close()
	tools, err := session.ListTools(ctx, nil)
	if err != nil {
		return err
	}
	for _, tool := range tools.Tools {
		fmt.Println("tool:", tool.Name)
	}
	run := func(ctx context.Context, name string, arguments map[string]any) error {
		result, err := session.CallTool(ctx, &sdk.CallToolParams{Name: name, Arguments: arguments, Meta: sdk.Meta{"progressToken": "t"}})
		if err != nil {
			return err
		}
		for _, content := range result.Content {
			if text, ok := content.(*sdk.TextContent); ok {
				fmt.Printf("%v: %s\n", result.IsError, text.Text)
			}
		}
		return nil
	}
	err = errors.Join(
		run(ctx, "codemode", map[string]any{"code": "for t in 'ab':\n    kept = tools.notes.add_note(t)\nkept['notes']"}),
		run(ctx, "codemode", map[string]any{"code": "tools.notes.add_note(text='')"}),
		run(ctx, "look", map[string]any{"query": "keeps notes"}),
	)
	if err != nil {
		return err
	}
	for len(begun) > 0 {
		<-begun
	}
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		<-begun
		cancel()
	}()
	err = run(waiting, "codemode", map[string]any{"code": "tools.notes.wait()"})
	fmt.Println("cancelled:", errors.Is(err, context.Canceled))
	return run(ctx, "codemode", map[string]any{"code": "6 * 7"})
}
