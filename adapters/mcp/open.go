package mcp

import (
	"log/slog"
	"net/http"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/registry"
)

func init() {
	codemode.RegisterMCP(func(server config.MCPServer, log *slog.Logger) (registry.Source, error) {
		source := Open(server)
		source.Logger = log
		return source, nil
	})
}

// Open makes a Source of a server as codemode.yaml has them under mcp_servers. The name
// becomes the namespace.
func Open(server config.MCPServer) *Source {
	source := &Source{
		Name: server.Name, Command: server.Command, Args: server.Args, Dir: server.Dir, URL: server.URL,
		Env: map[string]string{}, Header: http.Header{},
	}
	for name, value := range server.Env {
		source.Env[name] = value.Reveal()
	}
	for name, value := range server.Headers {
		source.Header.Set(name, value.Reveal())
	}
	return source
}
