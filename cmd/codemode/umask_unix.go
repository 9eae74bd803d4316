//go:build unix

package main

import (
	"golang.org/x/sys/unix"

	"github.com/codemode-sdk/codemode/config"
)

// onlyFor lets no one but the owner, or the group as well, use the files that are made
// until restore.
func onlyFor(mode string) (restore func()) {
	mask := 0o177
	if mode == config.SocketGroup {
		mask = 0o117
	}
	before := unix.Umask(mask)
	return func() { unix.Umask(before) }
}
