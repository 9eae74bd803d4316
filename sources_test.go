package codemode

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/registry"
)

// opened is the source that a test's opener makes of a server.
type opened struct {
	server config.MCPServer
	diary  *[]string
}

func (o *opened) String() string { return "the MCP server " + o.server.Name }

func (o *opened) Start(_ context.Context, reg *registry.Registry) error {
	*o.diary = append(*o.diary, "start "+o.server.Name)
	return reg.Replace(o, registry.Tool{Name: o.server.Name + ".ping"})
}

func (o *opened) Close() error {
	*o.diary = append(*o.diary, "close "+o.server.Name)
	return nil
}

func useOpener(t *testing.T, open func(config.MCPServer, *slog.Logger) (registry.Source, error)) {
	before := mcpOpener.open
	mcpOpener.open = open
	t.Cleanup(func() { mcpOpener.open = before })
}

func TestMCPServersOfAConfigurationAreOpenedAndClosed(t *testing.T) {
	var diary []string
	useOpener(t, func(s config.MCPServer, _ *slog.Logger) (registry.Source, error) { return &opened{s, &diary}, nil })
	cfg, err := config.Parse("codemode.yaml", []byte("mcp_servers: {one: {command: x}, two: {url: http://h/}}"), nil)
	if err != nil {
		t.Fatal(err)
	}
	reg := registry.New()
	for range 2 { // the registry can be used again
		cm, err := New(Options{Config: cfg, Registry: reg})
		if err != nil {
			t.Fatal(err)
		}
		description, err := cm.Description()
		if err != nil || !strings.Contains(description, "ping") {
			t.Errorf("the model is not told: %v, %s", err, description)
		}
		if err := cm.Close(); err != nil {
			t.Error(err)
		}
		if n := len(reg.Entries()); n != 0 {
			t.Errorf("after Close there are %d tools", n)
		}
	}
	once := []string{"start one", "start two", "close two", "close one"}
	if diff := cmp.Diff(append(once, once...), diary); diff != "" {
		t.Error(diff)
	}
}

func TestMCPServersThatCannotBeOpened(t *testing.T) {
	for _, c := range []struct {
		name   string
		server config.MCPServer
		open   func(config.MCPServer, *slog.Logger) (registry.Source, error)
		want   string
	}{
		{"nothing can open them", config.MCPServer{Name: "a", Command: "x"}, nil, `import _ "github.com/codemode-sdk/codemode/adapters/mcp"`},
		{"a bad one", config.MCPServer{Name: "a"}, func(config.MCPServer, *slog.Logger) (registry.Source, error) { return &opened{}, nil }, "neither a command nor a url"},
		{"the opener fails", config.MCPServer{Name: "a", Command: "x"}, func(config.MCPServer, *slog.Logger) (registry.Source, error) { return nil, errors.New("no x") }, `the MCP server "a": no x`},
		{"the opener gives nothing", config.MCPServer{Name: "a", Command: "x"}, func(config.MCPServer, *slog.Logger) (registry.Source, error) { return nil, nil }, "it is nil"},
	} {
		t.Run(c.name, func(t *testing.T) {
			useOpener(t, c.open)
			cfg := config.Default()
			cfg.MCPServers = []config.MCPServer{c.server}
			if _, err := New(Options{Config: cfg}); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestOpenAPIDocumentsOfAConfigurationNeedTheAdapter(t *testing.T) {
	cfg, err := config.Parse("codemode.yaml", []byte("openapi: {shop: {file: shop.yaml}}"), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := `import _ "github.com/codemode-sdk/codemode/adapters/openapi"`
	if _, err := New(Options{Config: cfg}); CodeOf(err) != CodeConfig || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v", err)
	}
}
