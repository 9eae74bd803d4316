package mcp_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// commandServer is what this test's binary is when a Source starts it.
func commandServer() {
	switch os.Getenv("CODEMODE_TEST_SERVER") {
	case "refuses":
		fmt.Fprintln(os.Stderr, "no licence key")
		os.Exit(3)
	case "silent":
		_, _ = io.Copy(io.Discard, os.Stdin) // it ends with its input, as it should
		return
	case "stubborn":
		time.Sleep(time.Hour)
	}
	// A child that outlives whoever does not look after it.
	child := exec.Command("sleep", "3600")
	if err := child.Start(); err != nil {
		panic(err)
	}
	server := newServer()
	object := json.RawMessage(`{"type":"object"}`)
	answer := func(name string, handler func() (string, error)) {
		server.AddTool(&sdk.Tool{Name: name, InputSchema: object}, func(context.Context, *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
			said, err := handler()
			return &sdk.CallToolResult{Content: text(said)}, err
		})
	}
	answer("environ", func() (string, error) { return strings.Join(os.Environ(), "\n"), nil })
	answer("child", func() (string, error) { return strconv.Itoa(child.Process.Pid), nil })
	answer("pid", func() (string, error) { return strconv.Itoa(os.Getpid()), nil })
	answer("huge", func() (string, error) { return strings.Repeat("x", 1<<20), nil })
	answer("crash", func() (string, error) {
		os.Exit(1)
		return "", nil
	})
	_ = server.Run(context.Background(), &sdk.StdioTransport{}) // it ends with its input
}
