//go:build !linux

package main

import (
	"os"

	"github.com/codemode-sdk/codemode/internal/fault"
)

// hideSecrets takes variables out of what children of this process would inherit.
func hideSecrets(names ...string) error {
	for _, name := range names {
		if err := os.Unsetenv(name); err != nil {
			return fault.Wrap(fault.Internal, err, "cannot remove %s from the environment", name)
		}
	}
	return nil
}
