//go:build unix

package main

import "golang.org/x/sys/unix"

// ownerOnly lets no one else use the files that are made until restore.
func ownerOnly() (restore func()) {
	before := unix.Umask(0o177)
	return func() { unix.Umask(before) }
}
