package codemode

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"sync"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/registry"
)

// An opener makes sources of what a section of the configuration names. An adapter that is
// imported sets it, so that what the adapter needs reaches nobody else.
type opener[T any] struct {
	sync.Mutex
	open func(T, *slog.Logger) (registry.Source, error)
}

var (
	mcpOpener     opener[config.MCPServer]
	openAPIOpener opener[config.OpenAPI]
)

func (o *opener[T]) register(name string, open func(T, *slog.Logger) (registry.Source, error)) {
	o.Lock()
	defer o.Unlock()
	if open == nil || o.open != nil {
		panic("codemode: " + name + " is called with nil, or twice")
	}
	o.open = open
}

// RegisterMCP says how the servers under mcp_servers of a configuration are opened: open
// gives a source that is not started yet, under whose name the server's tools come; it gets
// Options.Logger, which may be nil. It is called by package adapters/mcp when that is
// imported, and by nobody else; a second call panics.
func RegisterMCP(open func(config.MCPServer, *slog.Logger) (registry.Source, error)) {
	mcpOpener.register("RegisterMCP", open)
}

// RegisterOpenAPI says how the documents under openapi of a configuration are opened. It is
// for package adapters/openapi what RegisterMCP is for adapters/mcp.
func RegisterOpenAPI(open func(config.OpenAPI, *slog.Logger) (registry.Source, error)) {
	openAPIOpener.register("RegisterOpenAPI", open)
}

// attachConfigured attaches what the configuration names, and remembers it for Close.
func (c *Codemode) attachConfigured(cfg *config.Config, log *slog.Logger) error {
	for _, server := range cfg.MCPServers {
		if err := attachOne(c, &mcpOpener, server, "the MCP server "+strconv.Quote(server.Name), "mcp", log); err != nil {
			return err
		}
	}
	for _, api := range cfg.OpenAPI {
		if err := attachOne(c, &openAPIOpener, api, "the OpenAPI document "+strconv.Quote(api.Name), "openapi", log); err != nil {
			return err
		}
	}
	return nil
}

func attachOne[T interface{ Validate() error }](c *Codemode, o *opener[T], entry T, what, adapter string, log *slog.Logger) error {
	o.Lock()
	open := o.open
	o.Unlock()
	if open == nil {
		return fault.New(fault.Config, "the configuration names %s, and nothing here can open it", what).
			WithRemedy(`import _ "github.com/codemode-sdk/codemode/adapters/%s"`, adapter)
	}
	if err := entry.Validate(); err != nil {
		return err
	}
	source, err := open(entry, log)
	if err != nil {
		return fault.Wrap(fault.CodeOf(err), err, "%s", what)
	}
	if err := c.registry.Attach(source); err != nil {
		return err
	}
	c.configured = append(c.configured, source)
	return nil
}

// startRegistry starts the registry's sources, with those of the configuration among them.
func (c *Codemode) startRegistry(ctx context.Context, cfg *config.Config, log *slog.Logger) error {
	if cfg != nil {
		if err := c.attachConfigured(cfg, log); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, StartTimeout)
	defer cancel()
	return c.registry.Start(ctx)
}

func (c *Codemode) closeRegistry() error {
	return errors.Join(c.detachConfigured(), c.registry.Close())
}

// detachConfigured takes back what attachConfigured did: the registry may be used again.
func (c *Codemode) detachConfigured() error {
	var errs []error
	for _, source := range slices.Backward(c.configured) {
		errs = append(errs, c.registry.Detach(source))
	}
	return errors.Join(errs...)
}
