//go:build linux

package sidecar_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/executorclient"
	"github.com/codemode-sdk/codemode/executorclient/toolservice"
	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/internal/waittest"
	"github.com/codemode-sdk/codemode/registry"
	"github.com/codemode-sdk/codemode/sidecar"
	_ "github.com/codemode-sdk/codemode/sidecar/embeddedpython"
)

func TestMain(m *testing.M) {
	if os.Args[0] == "/init" && os.Getpid() == 1 {
		becomeInit()
	}
	if address := os.Getenv(clientVariable); address != "" {
		becomeClient(address)
	}
	// Most of what runs in parallel waits for a limit, and not for a processor.
	flag.Parse()
	if err := flag.Set("test.parallel", strconv.Itoa(max(6, runtime.GOMAXPROCS(0)))); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if sharedServer != nil {
		if err := sharedServer.close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	if err := waittest.Goroutines(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, "goroutines outlived the executor:", err)
		code = 1
	}
	os.Exit(code)
}

// An executor is a server with a client on it, as an application embeds them.
type executor struct {
	*executorclient.Client
	server   *sidecar.Server
	callback *callback // nil in stream mode
}

func (e *executor) close() error {
	return errors.Join(e.Client.Close(), e.server.Close(), e.callback.close())
}

// pythonVariable names an interpreter to test with in place of the linked-in one.
const pythonVariable = "CODEMODE_TEST_PYTHON"

// modeVariable is "callback" for the pass of the tests in which tool calls come by
// callback; in the usual one they travel on the stream.
const modeVariable = "CODEMODE_TEST_MODE"

// atHome fits a configuration to the home that the tests run in.
func atHome(cfg config.SidecarConfig) config.SidecarConfig {
	if python := os.Getenv(pythonVariable); python != "" && cfg.Python == config.DefaultSidecar().Python {
		cfg.Python = python
	}
	if os.Getenv(homeVariable) == "vm" { // an emulated processor takes its time
		cfg.Limits.CodeTimeout, cfg.Limits.CPUTime, cfg.Pool.QueueTimeout = time.Hour, time.Hour, time.Hour
	}
	return cfg
}

// besideOthers is for a test that has an executor of its own, looks at nothing else, and waits
// a good deal. Not in every home: the kernel counts processes by user, and in a strange one
// all executors have the same.
func besideOthers(t *testing.T) {
	if os.Getenv(homeVariable) == "" {
		t.Parallel()
	}
}

// patient is the default configuration, with limits that end nothing only because the
// machine is busy.
func patient() config.SidecarConfig {
	cfg := config.DefaultSidecar()
	cfg.Limits.CodeTimeout, cfg.Limits.CPUTime, cfg.Pool.QueueTimeout = waittest.Patience, waittest.Patience, waittest.Patience
	return cfg
}

// open serves in the mode of the pass.
func open(cfg config.SidecarConfig) (*executor, error) {
	if os.Getenv(modeVariable) != "callback" {
		return serveAndDial(cfg, nil)
	}
	calls, err := newCallback(toolservice.Options{})
	if err != nil {
		return nil, err
	}
	cfg.Callback.Addresses = []string{calls.Address}
	e, err := serveAndDial(cfg, calls)
	if err != nil {
		return nil, errors.Join(err, calls.close())
	}
	return e, nil
}

// serveAndDial has tool calls in callback mode, unless calls is nil.
func serveAndDial(cfg config.SidecarConfig, calls *callback) (*executor, error) {
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	cfg = atHome(cfg)
	server, err := sidecar.New(context.Background(), cfg, log)
	// A busy machine, or one that is emulated on it, may take longer than an interpreter or a
	// fork server is waited for.
	for range 10 {
		if err == nil || !strings.Contains(err.Error(), "i/o timeout") && (fault.CodeOf(err) != fault.Python || os.Getenv(homeVariable) != "vm") {
			break
		}
		fmt.Fprintln(os.Stderr, "once more:", err)
		server, err = sidecar.New(context.Background(), cfg, log)
	}
	if err != nil {
		return nil, err
	}
	options := executorclient.Options{Dialer: server.Dial}
	if calls != nil {
		options.Callback = &calls.Callback
	}
	client, err := executorclient.Dial(options)
	if err != nil {
		return nil, errors.Join(err, server.Close())
	}
	return &executor{client, server, calls}, nil
}

// start makes an executor of a test's own.
func start(t *testing.T, change func(*config.SidecarConfig)) *executor {
	t.Helper()
	cfg := patient()
	change(&cfg)
	e, err := open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

var (
	sharedOnce   sync.Once
	sharedServer *executor
	sharedErr    error
)

// shared gives the executor that the tests without a configuration of their own use.
func shared(t *testing.T) *executor {
	t.Helper()
	sharedOnce.Do(func() { sharedServer, sharedErr = open(patient()) })
	if sharedErr != nil {
		t.Fatal(sharedErr)
	}
	return sharedServer
}

// run runs a program and fails the test if there is no result.
func (e *executor) run(t *testing.T, code string, change ...func(*executorclient.Request)) *executorclient.Result {
	t.Helper()
	request := executorclient.Request{Code: code}
	for _, c := range change {
		c(&request)
	}
	result, err := e.Execute(t.Context(), request)
	if err != nil {
		t.Fatalf("no result: %v", err)
	}
	return result
}

func withTools(tools *registry.Registry) func(*executorclient.Request) {
	return func(r *executorclient.Request) { r.Tools = tools }
}

func withLimits(l executorclient.Limits) func(*executorclient.Request) {
	return func(r *executorclient.Request) { r.Limits = l }
}
