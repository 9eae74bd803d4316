package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/registry"
)

// maxPages bounds the pages of one list of tools, each of which may be empty.
const maxPages = 1000

// takeTools gives the registry the server's tools in place of those it had.
func (s *Source) takeTools(ctx context.Context, c *session) error {
	s.mu.Lock()
	reg := s.registry
	s.mu.Unlock()
	if reg == nil {
		return s.notStarted()
	}
	listed, err := listTools(ctx, c.ClientSession)
	if err != nil {
		return err
	}
	// Each tool is tried on its own, so that one which cannot be used costs only itself.
	alone, usable := registry.New(), make([]registry.Tool, 0, len(listed))
	var refused []error
	for _, t := range listed {
		if s.Use != nil && !s.Use(t.Name) {
			continue
		}
		tool, err := s.toolOf(t)
		if err == nil {
			err = alone.Add(tool)
		}
		if err != nil {
			refused = append(refused, err)
			s.log.Warn("a tool of the server is left out", "tool", t.Name, "error", err)
			continue
		}
		usable = append(usable, tool)
	}
	if len(usable) == 0 && len(refused) > 0 {
		return fmt.Errorf("none of its tools can be used: %w", errors.Join(refused...))
	}
	return reg.Replace(s, usable...)
}

func listTools(ctx context.Context, c *sdk.ClientSession) ([]*sdk.Tool, error) {
	if c.InitializeResult() != nil && c.InitializeResult().Capabilities != nil && c.InitializeResult().Capabilities.Tools == nil {
		return nil, nil // a server without tools need not know the question
	}
	var tools []*sdk.Tool
	cursor, seen := "", map[string]bool{}
	for range maxPages {
		page, err := c.ListTools(ctx, &sdk.ListToolsParams{Cursor: cursor})
		if err != nil {
			return nil, err
		}
		tools = append(tools, page.Tools...)
		if len(tools) > registry.MaxTools {
			return nil, fault.New(fault.Unavailable, "it lists more than %d tools", registry.MaxTools)
		}
		cursor = page.NextCursor
		if cursor == "" {
			return tools, nil
		}
		if seen[cursor] {
			return nil, fault.New(fault.Unavailable, "its list of tools has no end: the cursor %q comes again", bounded(cursor, 100))
		}
		seen[cursor] = true
	}
	return nil, fault.New(fault.Unavailable, "its list of tools has more than %d pages", maxPages)
}

// toolOf makes a registry's tool of a server's.
func (s *Source) toolOf(t *sdk.Tool) (registry.Tool, error) {
	if t.Name == "" {
		return registry.Tool{}, errors.New("it has no name")
	}
	exact, err := exactSchemas(t)
	if err != nil {
		return registry.Tool{}, fmt.Errorf("its schema is not JSON: %w", err)
	}
	name, description := t.Name, t.Description
	if s.Name != "" {
		name = s.Name + "." + name
	}
	if description == "" {
		description = t.Title
	}
	origin := "the " + s.String()
	handler := func(ctx context.Context, args registry.Args) (any, error) {
		return s.call(ctx, call{tool: name, remote: t.Name, promised: len(exact.Output) > 0}, args)
	}
	return registry.Tool{
		Name: name, Description: description, Origin: origin,
		InputSchema: exact.Input, OutputSchema: exact.Output, Handler: handler, Policy: policyOf(t.Annotations),
	}, nil
}

// policyOf takes over a server's hints, with the protocol's defaults: a tool of which
// nothing is said may destroy something.
func policyOf(hints *sdk.ToolAnnotations) registry.Policy {
	if hints == nil {
		hints = &sdk.ToolAnnotations{}
	}
	return registry.Policy{
		ReadOnly:    hints.ReadOnlyHint,
		Destructive: !hints.ReadOnlyHint && (hints.DestructiveHint == nil || *hints.DestructiveHint),
		Idempotent:  hints.IdempotentHint,
	}
}

// exactSchemas are the texts of the schemas, or, from a transport where they could not
// be kept, what the SDK made of them.
func exactSchemas(t *sdk.Tool) (exactTool, error) {
	var exact exactTool
	if text, ok := exactText(t.Meta); ok && json.Unmarshal(text, &exact) == nil {
		return exact.withoutNull(), nil
	}
	var err error
	if t.InputSchema != nil {
		exact.Input, err = json.Marshal(t.InputSchema)
	}
	if t.OutputSchema != nil && err == nil {
		exact.Output, err = json.Marshal(t.OutputSchema)
	}
	return exact, err
}

func (e exactTool) withoutNull() exactTool {
	if string(e.Input) == "null" {
		e.Input = nil
	}
	if string(e.Output) == "null" {
		e.Output = nil
	}
	return e
}
