//go:build !linux

package sidecar

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"runtime"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/sidecar/sandbox"
)

// A Server is an executor. This system cannot be one: there is none to be had.
type Server struct{}

// New fails with code fault.Sandbox: the sandbox is made of what the Linux kernel offers.
func New(context.Context, config.SidecarConfig, *slog.Logger) (*Server, error) {
	return nil, fault.New(fault.Sandbox, "the embedded executor needs Linux; this is %s", runtime.GOOS).
		WithRemedy("run the executor in a Linux container or virtual machine (codemode serve) and set " +
			"executor.url or CODEMODE_EXECUTOR_URL to its address; see docs/deployment.md")
}

// NewWithoutSandbox fails as New does.
func NewWithoutSandbox(ctx context.Context, cfg config.SidecarConfig, log *slog.Logger) (*Server, error) {
	return New(ctx, cfg, log)
}

// Layers is empty: there is no Server to ask.
func (*Server) Layers() []sandbox.Layer { return nil }

// Python is empty: there is no Server to ask.
func (*Server) Python() string { return "" }

// Serve fails: there is no Server to serve.
func (*Server) Serve(net.Listener) error { return errNoServer }

// ServeTLS fails: there is no Server to serve.
func (*Server) ServeTLS(net.Listener, *tls.Config) error { return errNoServer }

// Reload fails: there is no Server to configure.
func (*Server) Reload(config.SidecarConfig) error { return errNoServer }

// Dial fails: there is no Server to connect to.
func (*Server) Dial(context.Context, string) (net.Conn, error) { return nil, errNoServer }

// Observe does nothing: there is no Server to observe.
func (*Server) Observe(Observer) {}

// Stats is empty: there is no Server to ask.
func (*Server) Stats() Stats { return Stats{} }

// Unready says that there is no Server.
func (*Server) Unready() string { return errNoServer.Message }

// Shutdown does nothing: there is no Server to shut down.
func (*Server) Shutdown(context.Context) error { return nil }

// Close does nothing: there is no Server to close.
func (*Server) Close() error { return nil }

var errNoServer = fault.New(fault.Sandbox, "the embedded executor needs Linux")
