//go:build !linux

package bench

import (
	"context"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/internal/fault"
)

var errNoExecutor = fault.New(fault.Sandbox, "there is no executor to measure: it needs Linux")

// Run fails: there is no executor to measure on this system.
func Run(context.Context, config.SidecarConfig, Options) (*Report, error) {
	return nil, errNoExecutor
}

// Soak fails: there is no executor to measure on this system.
func Soak(context.Context, config.SidecarConfig, SoakOptions) (*SoakReport, error) {
	return nil, errNoExecutor
}
