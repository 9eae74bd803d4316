//go:build !unix

package cpython

import "os/exec"

// killWholeGroup does nothing where there are no process groups: cancelling kills the
// process alone.
func killWholeGroup(*exec.Cmd) {}
