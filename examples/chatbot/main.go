// Chatbot is a chat server whose model answers by writing programs. The page shows each
// program while it is written, the tools that it calls, and what came of it:
//
//	go run ./examples/chatbot
//
// Without a key for a model it plays a demo, whose model is a script. With OPENAI_API_KEY,
// OPENAI_BASE_URL and OPENAI_MODEL it talks to any endpoint that speaks as OpenAI's does.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/codemode-sdk/codemode"
	_ "github.com/codemode-sdk/codemode/adapters/mcp" // opens the mcp_servers of codemode.yaml
	"github.com/codemode-sdk/codemode/config"
	_ "github.com/codemode-sdk/codemode/sidecar/embeddedpython" // so that Go is all it takes
)

// Settings are the flags and the environment.
type settings struct {
	addr     string
	data     string        // directory of the SQLite file and of the workspace
	database string        // DATABASE_URL; empty for SQLite
	model    string        // openai, langchain, demo; empty to choose by the key
	runTime  time.Duration // of one program, its waits for approval included
	approval time.Duration // of one wait for approval
	pace     time.Duration // of the demo's typing
	retry    time.Duration // before the first retry of a model that is busy
}

func main() {
	set := settings{database: os.Getenv("DATABASE_URL"), pace: 15 * time.Millisecond, retry: time.Second}
	flag.StringVar(&set.addr, "addr", cmp.Or(os.Getenv("CHATBOT_ADDR"), "127.0.0.1:8000"), "address to listen on")
	flag.StringVar(&set.data, "data", "chatbot-data", "directory of the database file and of the workspace")
	flag.StringVar(&set.model, "model", os.Getenv("CHATBOT_MODEL"), "openai, langchain or demo; by default openai where OPENAI_API_KEY is set, else demo")
	flag.DurationVar(&set.runTime, "run-time", 3*time.Minute, "time of one program on the embedded executor, its waits for approval included")
	flag.DurationVar(&set.approval, "approval-time", 2*time.Minute, "how long the page is given to approve a call")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, set, func(url string) { fmt.Println("chat at " + url + "  (ctrl-c stops it)") }); err != nil {
		log.Fatal(err)
	}
}

// run serves until ctx ends, and waits for everything it started.
func run(ctx context.Context, set settings, ready func(url string)) (err error) {
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	tools, err := openTools(ctx, set)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tools.close()) }()
	// A person may take a while to approve, and the run's clock does not stop meanwhile.
	cfg, err := config.Load("", config.Override{Key: "executor.limits.code_timeout", Value: set.runTime.String(), Source: "-run-time"})
	if err != nil {
		return err
	}
	cm, err := codemode.New(codemode.Options{
		Registry: tools.registry, Config: cfg, Logger: logger,
		Approve: approve, ApprovalTimeout: set.approval,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cm.Close()) }()
	model, err := chooseModel(cm, set)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", set.addr)
	if err != nil {
		return err
	}
	s := newServer(cm, model)
	defer s.close()
	web := &http.Server{
		Handler: s.handler(listener.Addr()), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() { served <- web.Serve(listener) }()
	ready("http://" + listener.Addr().String())
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	s.close() // ends the turns, and with them the streams that Shutdown waits for
	limited, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return errors.Join(web.Shutdown(limited), web.Close())
}

// chooseModel takes what was asked for, else what there is a key for.
func chooseModel(cm *codemode.Codemode, set settings) (Model, error) {
	choice := set.model
	if choice == "" && os.Getenv("OPENAI_API_KEY") != "" {
		choice = "openai"
	}
	switch choice {
	case "openai":
		return newOpenAI(cm, set.retry)
	case "langchain":
		return newLangchain(cm)
	case "", "demo":
		return &demo{pace: set.pace, tool: cm.ToolName()}, nil
	}
	return nil, fmt.Errorf("there is no model %q: openai, langchain or demo", choice)
}
