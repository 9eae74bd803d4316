//go:build !linux

package main

import (
	"os"

	"github.com/codemode-sdk/codemode/internal/fault"
)

// hideSecrets takes variables out of what children of this process would inherit, and
// gives what they held.
func hideSecrets(names ...string) (hidden map[string]string, err error) {
	hidden = map[string]string{}
	for _, name := range names {
		value, set := os.LookupEnv(name)
		if !set {
			continue
		}
		hidden[name] = value
		if err := os.Unsetenv(name); err != nil {
			return nil, fault.Wrap(fault.Internal, err, "cannot remove %s from the environment", name)
		}
	}
	return hidden, nil
}
