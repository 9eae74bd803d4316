package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/codemode-sdk/codemode/adapters/mcp"
	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/registry"
)

// mcpServers is the flag --mcp, which may be repeated.
type mcpServers struct{ sources []*mcp.Source }

func (m *mcpServers) declare(flags *flagSet) {
	flags.Var(m, "mcp", "let the program call the tools of an MCP server as tools.NAME: `NAME=COMMAND` starts one, NAME=https://... connects to one; may be repeated")
}

func (m *mcpServers) String() string { return "" }

// Set takes NAME=COMMAND or NAME=URL.
func (m *mcpServers) Set(text string) error {
	name, target, found := strings.Cut(text, "=")
	if !found {
		return errors.New("write NAME=COMMAND or NAME=URL")
	}
	server := config.MCPServer{Name: name}
	if strings.HasPrefix(target, "http://") || strings.HasPrefix(target, "https://") {
		server.URL = target
	} else {
		words, err := splitWords(target)
		if err != nil {
			return err
		}
		if len(words) > 0 {
			server.Command, server.Args = words[0], words[1:]
		}
	}
	if err := server.Validate(); err != nil {
		return err
	}
	m.add(server)
	return nil
}

func (m *mcpServers) add(server config.MCPServer) { m.sources = append(m.sources, mcp.Open(server)) }

// attach gives the servers to a registry, whose Start connects to them.
func (m *mcpServers) attach(reg *registry.Registry, stderr io.Writer, level slog.Level) error {
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level}))
	for _, source := range m.sources {
		source.Logger = log
		if err := reg.Attach(source); err != nil {
			return err
		}
	}
	return nil
}

// splitWords takes a command line apart as a shell does that knows only blanks, quotes
// and backslashes: nothing is expanded, and on every system it is the same.
func splitWords(line string) ([]string, error) {
	var words []string
	var word strings.Builder
	inWord, escaped := false, false
	quote := rune(0)
	for _, r := range line {
		switch {
		case escaped:
			word.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			inWord, escaped = true, true
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '"' || r == '\'':
			inWord, quote = true, r
		case r == ' ' || r == '\t' || r == '\n':
			if inWord {
				words = append(words, word.String())
				word.Reset()
			}
			inWord = false
		default:
			inWord = true
			word.WriteRune(r)
		}
	}
	if quote != 0 || escaped {
		return nil, fmt.Errorf("the command %q ends within a quotation", line)
	}
	if inWord {
		words = append(words, word.String())
	}
	return words, nil
}
