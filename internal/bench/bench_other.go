//go:build !linux

package bench

import (
	"context"
	"io"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/internal/fault"
)

// Options say how long to measure.
type Options struct {
	Runs           int
	WithoutSandbox bool
	Progress       io.Writer
}

// A Report is everything that was measured.
type Report struct{}

// Run fails: there is no executor to measure on this system.
func Run(context.Context, config.SidecarConfig, Options) (*Report, error) {
	return nil, fault.New(fault.Sandbox, "there is no executor to measure: it needs Linux")
}

// Print writes nothing.
func (*Report) Print(io.Writer) {}
