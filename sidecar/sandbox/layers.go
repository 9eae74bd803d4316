// Package sandbox knows what the kernel can enforce, and writes the plan by which the
// fork server and its workers confine themselves.
//
// It makes the decisions; the runner (package sidecar, runner/*.py) carries them out,
// because a process can only give up rights of its own.
package sandbox

import (
	"fmt"
	"strings"

	"github.com/codemode-sdk/codemode/internal/fault"
)

// The layers, by the names under which results, doctor and configuration know them.
const (
	User       = "user"         // user namespace: no privilege outside, even for root
	PID        = "pid"          // pid namespace: no other process can be named
	Mount      = "mount"        // mount namespace: a root directory with the interpreter only
	Network    = "network"      // network namespace: no interface, not even a working loopback
	IPC        = "ipc"          // ipc namespace: no System V or POSIX message objects of others
	UTS        = "uts"          // uts namespace: no host name
	Landlock   = "landlock"     // files, TCP, signals and abstract sockets, per worker
	Seccomp    = "seccomp"      // an allow-list of system calls
	NoNewPrivs = "no_new_privs" // set-user-ID programs give nothing
	Rlimits    = "rlimits"      // memory, CPU time, descriptors, file size, processes
	Cgroup     = "cgroup"       // memory and processes of a run together, whatever they are used for
)

// Names lists all layers in the order in which reports show them.
var Names = []string{User, PID, Mount, Network, IPC, UTS, Landlock, Seccomp, NoNewPrivs, Rlimits, Cgroup}

// A Layer is one part of the sandbox as it stands on this machine.
type Layer struct {
	Name    string `json:"name"`
	InForce bool   `json:"in_force"`
	// Detail says what the layer does here, or why it is not in force.
	Detail string `json:"detail,omitempty"`
}

// InForce gives the names of the layers that are in force.
func InForce(layers []Layer) []string {
	names := []string{}
	for _, layer := range layers {
		if layer.InForce {
			names = append(names, layer.Name)
		}
	}
	return names
}

// A Requirement is the least isolation with which programs may run.
type Requirement struct {
	// Layers must all be in force. An entry "a|b" is met by either.
	Layers []string
	// Unsafe says in so many words that programs may run with less, down to nothing.
	Unsafe bool
}

// Strict is the default. It can be met on a plain host and in a hardened container:
// whatever the missing namespaces would have hidden, Landlock and seccomp refuse.
var Strict = Requirement{Layers: []string{Seccomp, NoNewPrivs, Rlimits, Landlock + "|" + Mount}}

// Check says whether layers meet the requirement; the error has code fault.Sandbox and
// names what is missing, why, and what to do.
func (r Requirement) Check(layers []Layer) error {
	if r.Unsafe {
		return nil
	}
	byName := map[string]Layer{}
	for _, layer := range layers {
		byName[layer.Name] = layer
	}
	var missing []string
	for _, want := range r.Layers {
		var reasons []string
		met := false
		for name := range strings.SplitSeq(want, "|") {
			layer := byName[name]
			met = met || layer.InForce
			reasons = append(reasons, fmt.Sprintf("%s (%s)", name, orElse(layer.Detail, "not available")))
		}
		if !met {
			missing = append(missing, strings.Join(reasons, " or "))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return fault.New(fault.Sandbox, "the sandbox is too weak to run programs: missing %s",
		strings.Join(missing, "; ")).
		WithRemedy("use Linux 5.13 or newer with Landlock and seccomp enabled, or a container " +
			"runtime whose seccomp profile allows both; codemode doctor shows every layer")
}

func orElse(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}
