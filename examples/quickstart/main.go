// Quickstart runs one Python program, of the kind that a model writes, with three Go
// functions as its tools:
//
//	go run ./examples/quickstart
package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"strings"
	"time"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/registry"
	_ "github.com/codemode-sdk/codemode/sidecar/embeddedpython"
)

//go:embed program.py
var program string

func main() {
	if err := run(os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(out io.Writer) (err error) {
	fmt.Fprintf(out, "== a program\n\n%s\n", program)
	fmt.Fprintln(out, "starting a sandbox for it (the first time, this unpacks a CPython) ...")

	reg := registry.New()
	register(reg) // three Go functions, in tools.go
	cm, err := codemode.New(codemode.Options{Registry: reg, OnEvent: func(e codemode.Event) { show(out, e) }})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cm.Close()) }()

	fmt.Fprintf(out, "\n== its tool calls, as they happen\n\n")
	result, err := cm.Execute(context.Background(), program)
	if err != nil {
		return err
	}
	if result.Status != codemode.StatusOK {
		return errors.New(result.Text())
	}

	fmt.Fprintf(out, "\n== what it printed\n\n%s", result.Stdout)
	value, err := json.MarshalIndent(result.Value, "", "  ")
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\n== its result\n\n%s\n", value)
	fmt.Fprintf(out, "\n%v in real CPython, isolated by %s\n",
		result.Usage.Wall.Round(time.Millisecond), strings.Join(result.Sandbox, ", "))
	return nil
}

// show is called for every event of the run, one at a time.
func show(out io.Writer, e codemode.Event) {
	switch {
	case e.ToolStart != nil:
		fmt.Fprintf(out, "  -> %-14s %s\n", e.ToolStart.Tool, short(e.ToolStart.Args))
	case e.ToolEnd != nil && e.ToolEnd.Error != nil:
		fmt.Fprintf(out, "  !! %-14s ToolError: %s\n", e.ToolEnd.Tool, e.ToolEnd.Error.Message)
	case e.ToolEnd != nil:
		fmt.Fprintf(out, "  <- %-14s %s  %v\n", e.ToolEnd.Tool, short(e.ToolEnd.Result), e.ToolEnd.Duration.Round(100*time.Microsecond))
	}
}

// short is a value as JSON, on one line of a terminal.
func short(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	if len(text) > 56 {
		return string(text[:52]) + " ..."
	}
	return string(text)
}
