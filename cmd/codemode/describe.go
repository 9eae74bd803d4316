package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/adapters/openapi"
	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/registry"
)

func describeCommand() command {
	return command{
		name:    "describe",
		usage:   "describe [flags]",
		summary: "prints what a model would be shown for a list of tools",
		help: `
Without --format it prints the description of the one function tool, and on standard
error what that saves against a function tool with a JSON schema for each of the tools.
No executor is started.`,
		prepare: func(flags *flagSet, io stdio) func([]string) (int, error) {
			d := description{io: io}
			flags.BoolVar(&d.json, "json", false, "print one JSON object: name, description, parameters, stubs and sizes")
			flags.StringVar(&d.format, "format", "", "print as `FORMAT`: openai or mcp, the tool as an API takes it; stubs, the tools as a Python module")
			flags.Var(&d.lists, "tools", "describe the tools of `LIST`, a file of JSON or a directory of such; may be repeated")
			flags.StringVar(&d.file, "config", "", "describe the tools of what `FILE` has under mcp_servers and openapi")
			d.servers.declare(flags)
			return func(args []string) (int, error) {
				if err := none(args); err != nil {
					return exitOther, err
				}
				if err := d.print(); err != nil {
					return exitOther, err
				}
				return exitOK, nil
			}
		},
	}
}

// A description is one run of codemode describe.
type description struct {
	io      stdio
	json    bool
	format  string
	lists   texts
	file    string
	servers mcpServers
}

func (d *description) print() (err error) {
	switch d.format {
	case "", "openai", "mcp", "stubs":
	default:
		return fmt.Errorf("unknown format %q%s (openai, mcp or stubs)", d.format, didYouMean(d.format, []string{"openai", "mcp", "stubs"}))
	}
	if d.json && d.format == "stubs" {
		return fmt.Errorf("--format stubs prints Python: leave out one of --json and --format")
	}
	reg := registry.New()
	notes, err := registerLists(reg, d.lists)
	if err != nil {
		return err
	}
	for _, note := range notes {
		fmt.Fprintf(d.io.err, "codemode describe: %s\n", note)
	}
	if d.file != "" {
		loaded, err := config.Load(d.file)
		if err != nil {
			return err
		}
		for _, server := range loaded.MCPServers {
			d.servers.add(server)
		}
		for _, api := range loaded.OpenAPI {
			source := openapi.Open(api)
			source.Logger = slog.New(slog.NewTextHandler(d.io.err, nil))
			if err := reg.Attach(source); err != nil {
				return err
			}
		}
	}
	if err := d.servers.attach(reg, d.io.err, slog.LevelWarn); err != nil {
		return err
	}
	starting, cancel := context.WithTimeout(context.Background(), codemode.StartTimeout)
	defer cancel()
	if err := reg.Start(starting); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, reg.Close()) }()
	tool, err := codemode.Describe(reg, "")
	if err != nil {
		return err
	}
	switch d.format {
	case "openai":
		return d.printJSON(functionTool{"function", function{tool.Name, tool.Description, tool.Parameters}})
	case "mcp":
		return d.printJSON(map[string]any{"name": tool.Name, "description": tool.Description, "inputSchema": tool.Parameters})
	}
	stubs, err := codemode.Stubs(reg)
	if err != nil {
		return err
	}
	if d.format == "stubs" {
		_, err := io.WriteString(d.io.out, stubs)
		return err
	}
	schemas, err := schemaBytes(reg)
	if err != nil {
		return err
	}
	if d.json {
		return d.printJSON(struct {
			Name             string          `json:"name"`
			Description      string          `json:"description"`
			Parameters       json.RawMessage `json:"parameters"`
			Stubs            string          `json:"stubs"`
			Tools            int             `json:"tools"`
			DescriptionBytes int             `json:"description_bytes"`
			SchemaBytes      int             `json:"schema_bytes"`
			SavedPercent     int             `json:"saved_percent"`
		}{tool.Name, tool.Description, tool.Parameters, stubs, len(reg.Entries()), len(tool.Description), schemas, saved(len(tool.Description), schemas)})
	}
	if _, err := fmt.Fprintln(d.io.out, tool.Description); err != nil {
		return err
	}
	_, err = fmt.Fprintf(d.io.err, "%d bytes for %s; as function tools with JSON schemas they take %d bytes (%s)\n",
		len(tool.Description), count(len(reg.Entries()), "tool"), schemas, comparison(saved(len(tool.Description), schemas)))
	return err
}

// saved is what is left out of the schemas' bytes, in percent; below zero where the
// guide to writing programs weighs more than a few small schemas.
func saved(description, schemas int) int { return 100 - 100*description/max(schemas, 1) }

func comparison(percent int) string {
	if percent < 0 {
		return "so few tools save nothing on the description; what programs save is calls and intermediate results"
	}
	return fmt.Sprintf("%d%% saved on every request", percent)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func (d *description) printJSON(v any) error {
	encoder := json.NewEncoder(d.io.out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}

// functionTool is a tool as chat completions take it.
type functionTool struct {
	Type     string   `json:"type"`
	Function function `json:"function"`
}

type function struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Parameters  json.RawMessage `json:"parameters"`
}

// schemaBytes is what the tools take in a request without codemode.
func schemaBytes(reg *registry.Registry) (int, error) {
	tools := []functionTool{}
	for _, entry := range reg.Entries() {
		tools = append(tools, functionTool{"function", function{entry.Name(), entry.Description(), entry.Input().JSON()}})
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(tools)
	return len(bytes.TrimSpace(b.Bytes())), err
}
