package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/adapters/mcp"
	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/registry"
)

// mcpKeyVariable holds the key for clients of codemode mcp --http.
const mcpKeyVariable = "CODEMODE_MCP_API_KEY"

func mcpCommand() command {
	return command{
		name:    "mcp",
		usage:   "mcp [flags]",
		summary: "serves the code tool over MCP, in front of other MCP servers",
		help: `
An MCP client that starts it gets one tool, which runs Python programs that call the
tools of the servers given with --mcp. It speaks MCP on standard input and output, or,
with --http, streamable HTTP at http://ADDR/mcp. Programs run on the executor that the
configuration or CODEMODE_EXECUTOR_URL and CODEMODE_EXECUTOR_API_KEY name, else on one
inside this process.

Over HTTP, clients send the key in CODEMODE_MCP_API_KEY, or one of those in --key-file,
as Authorization: Bearer KEY. Without a key it listens on loopback addresses only.`,
		prepare: func(flags *flagSet, io stdio) func([]string) (int, error) {
			g := gateway{io: io}
			g.servers.declare(flags)
			flags.StringVar(&g.file, "config", "", "configure from `FILE` in place of codemode.yaml")
			flags.StringVar(&g.searchTool, "search-tool", "", "offer a second tool, `NAME`, that searches the servers' tools without a program")
			flags.StringVar(&g.address, "http", "", "serve streamable HTTP on `ADDR`, such as 127.0.0.1:8080, in place of standard input")
			flags.StringVar(&g.keyFile, "key-file", "", "admit the keys in `FILE`, one on each line")
			flags.Var(&g.origins, "origin", "let scripts of web pages at `ORIGIN`, such as https://app.example.com, use the server; may be repeated")
			return func(args []string) (int, error) {
				if err := none(args); err != nil {
					return exitOther, err
				}
				if err := g.run(); err != nil {
					return exitOther, err
				}
				return exitOK, nil
			}
		},
	}
}

// A gateway is one run of codemode mcp.
type gateway struct {
	io      stdio
	servers mcpServers
	file    string
	address string
	// searchTool is Options.SearchTool.
	searchTool string
	keyFile    string
	origins    texts
}

func (g *gateway) run() (err error) {
	if g.address == "" && (g.keyFile != "" || len(g.origins) > 0) {
		return errors.New("--key-file and --origin are for --http")
	}
	keys, err := g.keys()
	if err != nil {
		return err
	}
	listener, err := g.listen(len(keys) > 0)
	if err != nil {
		return err
	}
	if listener != nil {
		defer listener.Close()
	}
	loaded, err := config.Load(g.file)
	if err != nil {
		return err
	}
	// A program's process must not find them in this one.
	if _, err := hideSecrets(mcpKeyVariable, "CODEMODE_API_KEY", "CODEMODE_EXECUTOR_API_KEY"); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process
	level := max(loaded.Log.Level, slog.LevelWarn)
	log := slog.New(slog.NewTextHandler(g.io.err, &slog.HandlerOptions{Level: level}))
	reg := registry.New()
	if err := g.servers.attach(reg, g.io.err, level); err != nil {
		return err
	}
	if err := reg.Start(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, reg.Close()) }()
	cm, err := codemode.New(codemode.Options{Registry: reg, Config: loaded, Logger: log, SearchTool: g.searchTool})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cm.Close()) }()
	server, err := mcp.NewServer(cm, &mcp.ServerOptions{Logger: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	if listener == nil {
		return g.serveStdio(ctx, server)
	}
	return g.serveHTTP(ctx, server, listener, keys)
}

// serveStdio serves the one client at standard input until it closes that, or a signal.
func (g *gateway) serveStdio(ctx context.Context, server *mcp.Server) error {
	err := server.Run(ctx, &sdk.IOTransport{Reader: io.NopCloser(g.io.in), Writer: unclosed{g.io.out}})
	if err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

// An unclosed writer stays open: standard output ends with the process.
type unclosed struct{ io.Writer }

func (unclosed) Close() error { return nil }

func (g *gateway) serveHTTP(ctx context.Context, server *mcp.Server, listener net.Listener, keys []config.Secret) error {
	handler, err := server.Handler(&mcp.HTTPOptions{Keys: keys, Origins: g.origins})
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/mcp", handler)
	serving := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	served := make(chan error, 1)
	go func() { served <- serving.Serve(listener) }()
	fmt.Fprintf(g.io.err, "codemode mcp: http://%s/mcp\n", listener.Addr())
	select {
	case err := <-served:
		return fmt.Errorf("the server stopped: %w", err)
	case <-ctx.Done():
	}
	// The sessions end first: their streams would keep the server waiting.
	err = server.Close()
	closing, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if serving.Shutdown(closing) != nil {
		err = errors.Join(err, serving.Close())
	}
	if stopped := <-served; !errors.Is(stopped, http.ErrServerClosed) {
		err = errors.Join(err, stopped)
	}
	return err
}

func (g *gateway) listen(withKeys bool) (net.Listener, error) {
	if g.address == "" {
		return nil, nil
	}
	host, _, err := net.SplitHostPort(g.address)
	if err != nil {
		return nil, fault.Wrap(fault.Config, err, "--http %s is no address", g.address).WithRemedy("use HOST:PORT")
	}
	if ip := net.ParseIP(host); !withKeys && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fault.New(fault.Config, "whoever reaches %s could run programs there", g.address).
			WithRemedy("set %s or --key-file, or listen on 127.0.0.1", mcpKeyVariable)
	}
	listener, err := net.Listen("tcp", g.address)
	if err != nil {
		return nil, fault.Wrap(fault.Config, err, "there is nowhere to listen").WithRemedy("choose another --http")
	}
	return listener, nil
}

// keys are those that clients may send.
func (g *gateway) keys() ([]config.Secret, error) {
	var keys []config.Secret
	if key := os.Getenv(mcpKeyVariable); key != "" {
		keys = append(keys, config.NewSecret(key))
	}
	if g.keyFile == "" {
		return keys, nil
	}
	file, err := os.Open(g.keyFile)
	if err != nil {
		return nil, fault.Wrap(fault.Config, err, "the keys cannot be read")
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	found := false
	for lines.Scan() {
		if key := strings.TrimSpace(lines.Text()); key != "" {
			keys, found = append(keys, config.NewSecret(key)), true
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fault.Wrap(fault.Config, err, "the keys cannot be read")
	}
	if !found {
		return nil, fault.New(fault.Config, "%s holds no key", g.keyFile).WithRemedy("write one on each line")
	}
	return keys, nil
}
