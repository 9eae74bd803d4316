package codemode_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"sync"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/executorclient"
	"github.com/codemode-sdk/codemode/executorclient/toolservice"
	"github.com/codemode-sdk/codemode/internal/waittest"
	"github.com/codemode-sdk/codemode/sidecar"
)

// callback is the tool service of the pass in which tool calls come by callback
// (CODEMODE_TEST_MODE=callback); nil in the usual one, where they travel on the stream.
var callback *executorclient.Callback

// patient is the default configuration, with limits that end nothing only because the
// machine is busy.
func patient() *config.Config {
	cfg := config.Default()
	limits := &cfg.Executor.Limits
	limits.CodeTimeout, limits.CPUTime, cfg.Executor.Pool.QueueTimeout = waittest.Patience, waittest.Patience, waittest.Patience
	return cfg
}

// executorURL is where the executor of all tests listens.
var executorURL string

// onCommonExecutor is the configuration of a test that needs none of its own. To start an
// executor for each takes half a second of processor time.
func onCommonExecutor() *config.Config {
	cfg := patient()
	cfg.Executor.URL = executorURL
	return cfg
}

// serveCommonExecutor serves the executor of all tests, in dir.
func serveCommonExecutor(dir string) (stop func() error, err error) {
	server, err := sidecar.New(context.Background(), inMode(codemode.Options{Config: patient()}).Config.Sidecar(), nil)
	if err != nil {
		return nil, err
	}
	socket := filepath.Join(dir, "executor")
	listener, err := new(net.ListenConfig).Listen(context.Background(), "unix", socket)
	if err != nil {
		return nil, errors.Join(err, server.Close())
	}
	executorURL = "unix://" + socket
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	return func() error { return errors.Join(server.Close(), <-served) }, nil
}

// inMode gives the options with which a test's executor runs in the mode of the pass.
func inMode(options codemode.Options) codemode.Options {
	if options.Config == nil {
		options.Config = onCommonExecutor()
	}
	if callback == nil {
		return options
	}
	cfg := new(config.Config)
	*cfg = *options.Config
	cfg.Executor.Callback.Addresses = []string{callback.Address}
	options.Config, options.Callback = cfg, callback
	return options
}

// startMode serves the tool service in dir, if the pass has one.
func startMode(dir string) (stop func() error, err error) {
	if os.Getenv("CODEMODE_TEST_MODE") != "callback" {
		return func() error { return nil }, nil
	}
	service, err := toolservice.New(toolservice.Options{})
	if err != nil {
		return nil, err
	}
	socket := filepath.Join(dir, "tools")
	listener, err := new(net.ListenConfig).Listen(context.Background(), "unix", socket)
	if err != nil {
		return nil, err
	}
	var serving sync.WaitGroup
	serving.Go(func() { _ = service.Serve(listener) }) // its error is that it was closed
	callback = &executorclient.Callback{Service: service, Address: "unix://" + socket}
	return func() error {
		err := service.Close()
		serving.Wait()
		return err
	}, nil
}
