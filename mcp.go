package codemode

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/registry"
)

var mcpOpener struct {
	sync.Mutex
	open func(config.MCPServer, *slog.Logger) (registry.Source, error)
}

// RegisterMCP says how the servers under mcp_servers of a configuration are opened: open
// gives a source that is not started yet, under whose name the server's tools come; it gets
// Options.Logger, which may be nil. It is called by package adapters/mcp when that is
// imported, and by nobody else; a second call panics.
func RegisterMCP(open func(config.MCPServer, *slog.Logger) (registry.Source, error)) {
	mcpOpener.Lock()
	defer mcpOpener.Unlock()
	if open == nil || mcpOpener.open != nil {
		panic("codemode: RegisterMCP is called with nil, or twice")
	}
	mcpOpener.open = open
}

// attachServers attaches the servers of the configuration, and remembers them for Close.
func (c *Codemode) attachServers(servers []config.MCPServer, log *slog.Logger) error {
	if len(servers) == 0 {
		return nil
	}
	mcpOpener.Lock()
	open := mcpOpener.open
	mcpOpener.Unlock()
	if open == nil {
		return fault.New(fault.Config, "the configuration names MCP servers (mcp_servers), and nothing here can open them").
			WithRemedy(`import _ "github.com/codemode-sdk/codemode/adapters/mcp"`)
	}
	for _, server := range servers {
		if err := server.Validate(); err != nil {
			return err
		}
		source, err := open(server, log)
		if err != nil {
			return fault.Wrap(fault.CodeOf(err), err, "the MCP server %q", server.Name)
		}
		if err := c.registry.Attach(source); err != nil {
			return err
		}
		c.servers = append(c.servers, source)
	}
	return nil
}

// startRegistry starts the registry's sources, with the configuration's servers among them.
func (c *Codemode) startRegistry(ctx context.Context, cfg *config.Config, log *slog.Logger) error {
	if cfg != nil {
		if err := c.attachServers(cfg.MCPServers, log); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, StartTimeout)
	defer cancel()
	return c.registry.Start(ctx)
}

func (c *Codemode) closeRegistry() error {
	return errors.Join(c.detachServers(), c.registry.Close())
}

// detachServers takes back what attachServers did: the registry may be used again.
func (c *Codemode) detachServers() error {
	var errs []error
	for _, source := range slices.Backward(c.servers) {
		errs = append(errs, c.registry.Detach(source))
	}
	return errors.Join(errs...)
}
