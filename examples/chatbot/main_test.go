package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/internal/waittest"
	"github.com/codemode-sdk/codemode/sidecar"
)

// The tests' chats share one executor, so that each starts at once.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == libraryArgument {
		if err := serveLibrary(); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		return
	}
	if len(os.Args) == 3 && os.Args[1] == executorArgument {
		if err := becomeExecutor(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	code, err := withExecutor(m.Run)
	http.DefaultClient.CloseIdleConnections()
	if err == nil && code == 0 {
		err = waittest.Goroutines()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func withExecutor(tests func() int) (code int, err error) {
	dir, err := os.MkdirTemp("", "chatbot-test-")
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	socket := filepath.Join(dir, "executor")
	executor, listener, err := listen(socket)
	if err != nil {
		return 1, err
	}
	served := make(chan error, 1)
	go func() { served <- executor.Serve(listener) }()
	os.Setenv("CODEMODE_EXECUTOR_URL", "unix://"+socket)
	code = tests()
	return code, errors.Join(executor.Close(), <-served)
}

// listen starts an executor, and then listens for it.
func listen(socket string) (*sidecar.Server, net.Listener, error) {
	cfg := config.DefaultSidecar()
	cfg.Limits.CodeTimeout, cfg.Limits.CPUTime, cfg.Pool.QueueTimeout = patience, patience, patience
	executor, err := sidecar.New(context.Background(), cfg, nil)
	if err != nil {
		return nil, nil, err
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return nil, nil, errors.Join(err, executor.Close())
	}
	return executor, listener, nil
}

// An app is the chat as run serves it.
type app struct {
	t   *testing.T
	url string
}

func start(t *testing.T, set settings) *app {
	t.Helper()
	if set.addr == "" {
		set.addr = "127.0.0.1:0"
	}
	if set.data == "" {
		set.data = t.TempDir()
	}
	set.runTime, set.approval = patience, patience
	ctx, stop := context.WithCancel(context.Background())
	ready, ended := make(chan string, 1), make(chan error, 1)
	go func() { ended <- run(ctx, set, func(url string) { ready <- url }) }()
	select {
	case url := <-ready:
		t.Cleanup(func() {
			stop()
			if err := <-ended; err != nil {
				t.Errorf("the chat ended with %v", err)
			}
		})
		return &app{t, url}
	case err := <-ended:
		stop()
		t.Fatal(err)
		return nil
	}
}

// demoApp is one with the scripted model of the example.
func demoApp(t *testing.T) *app { return start(t, settings{model: "demo"}) }

func (a *app) post(path, body string) *http.Response {
	a.t.Helper()
	response, err := http.Post(a.url+path, "application/json", strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() { response.Body.Close() })
	return response
}

// ask is POST /chat, as curl makes it.
func (a *app) ask(message string) (status int, reply map[string]string) {
	a.t.Helper()
	body, err := json.Marshal(map[string]string{"message": message})
	if err != nil {
		a.t.Fatal(err)
	}
	response := a.post("/chat", string(body))
	if err := json.NewDecoder(response.Body).Decode(&reply); err != nil {
		a.t.Fatal(err)
	}
	return response.StatusCode, reply
}
