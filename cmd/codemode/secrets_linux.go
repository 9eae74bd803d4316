package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/codemode-sdk/codemode/internal/fault"
)

// hideSecrets takes variables out of this process's environment: out of what children
// would inherit, and out of the memory that /proc/PID/environ shows, which Go leaves as
// it was. It also denies other processes of the user this process's memory. It gives what
// the variables held, for when the configuration is read again.
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
	if len(hidden) > 0 {
		if err := wipeInitial(names); err != nil {
			return nil, fault.Wrap(fault.Internal, err, "cannot wipe the API key from the initial environment")
		}
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return nil, fault.Wrap(fault.Internal, err, "cannot deny others this process's memory")
	}
	return hidden, nil
}

// wipeInitial overwrites the values with zeros where the kernel put them.
func wipeInitial(names []string) error {
	stat, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return err
	}
	// The name of the process, in parentheses, may hold anything; fields 50 and 51 of
	// proc(5) are 47 and 48 after it.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 49 {
		return fmt.Errorf("/proc/self/stat has %d fields", len(fields))
	}
	var start, end int64
	if _, err := fmt.Sscan(fields[47]+" "+fields[48], &start, &end); err != nil {
		return err
	}
	memory, err := os.OpenFile("/proc/self/mem", os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer memory.Close()
	environment := make([]byte, end-start)
	if _, err := memory.ReadAt(environment, start); err != nil && err != io.EOF {
		return err
	}
	offset := int64(0)
	for entry := range bytes.SplitSeq(environment, []byte{0}) {
		name, value, _ := bytes.Cut(entry, []byte("="))
		for _, secret := range names {
			if string(name) != secret {
				continue
			}
			if _, err := memory.WriteAt(make([]byte, len(value)), start+offset+int64(len(name))+1); err != nil {
				return err
			}
		}
		offset += int64(len(entry)) + 1
	}
	clear(environment)
	return nil
}
