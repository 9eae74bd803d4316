package main

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/codemode-sdk/codemode/internal/fault"
)

// listenUnix makes a socket that only this user can connect to, or its group as well. One
// that an earlier process left behind is replaced; one that somebody answers on, or
// another file, is not.
func listenUnix(path, mode string) (net.Listener, error) {
	if err := removeStale(path); err != nil {
		return nil, err
	}
	restore := onlyFor(mode)
	listener, err := net.Listen("unix", path)
	restore()
	if err != nil {
		return nil, fault.Wrap(fault.Config, err, "the executor has nowhere to listen").
			WithRemedy("make the socket's directory, or choose another --socket")
	}
	return listener, nil
}

func removeStale(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fault.Wrap(fault.Config, err, "the socket cannot be looked at")
	case info.Mode().Type() != fs.ModeSocket:
		return fault.New(fault.Config, "%s exists and is not a socket", path).
			WithRemedy("choose another --socket, or remove the file")
	}
	conn, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		return errors.Join(fault.New(fault.Config, "another process answers on the socket %s", path).
			WithRemedy("stop it, or choose another --socket"), conn.Close())
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fault.Wrap(fault.Config, err, "whether another process uses the socket %s cannot be told", path).
			WithRemedy("choose another --socket, or remove the file")
	}
	if err := os.Remove(path); err != nil {
		return fault.Wrap(fault.Config, err, "the socket of an earlier process cannot be replaced")
	}
	return nil
}
