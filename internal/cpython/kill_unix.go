//go:build unix

package cpython

import (
	"os/exec"
	"syscall"
)

// killWholeGroup makes cancelling cmd kill what it started as well: a shim is a shell that
// may be waiting for the interpreter.
func killWholeGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
