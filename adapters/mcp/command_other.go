//go:build !unix

package mcp

import "os/exec"

func ownGroup(*exec.Cmd) {}

// There is no asking: the end of its input was that.
func terminate(cmd *exec.Cmd) { killGroup(cmd) }

func killGroup(cmd *exec.Cmd) { _ = cmd.Process.Kill() } // an error means that it has ended
