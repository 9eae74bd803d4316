// Package docker makes and runs the executor's container, by driving the docker command
// as a person would: its contexts, its credentials and its builder are the user's own.
package docker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/codemode-sdk/codemode/internal/fault"
)

// An Engine is the Docker engine that the docker command talks to.
type Engine struct {
	Version string // such as 24.0.7
	OS      string // such as "Ubuntu 22.04"
	// Arch is the processor of the engine's machine, in Go's words, such as amd64.
	Arch     string
	CPUs     int
	security []string
	host     string
}

// Find asks the engine what it is. The error says whether there is no docker command, no
// engine, or no permission to use it.
func Find(ctx context.Context) (*Engine, error) {
	out, err := output(ctx, "info", "--format", "{{json .}}")
	if err != nil {
		return nil, err
	}
	var info struct {
		ServerVersion, OperatingSystem, OSType, Architecture string
		NCPU                                                 int
		SecurityOptions, ServerErrors                        []string
	}
	if err := json.Unmarshal([]byte(out), &info); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "the docker command answers in a form that is not Docker's")
	}
	if len(info.ServerErrors) > 0 {
		return nil, explain(strings.Join(info.ServerErrors, "; "), nil)
	}
	if info.OSType != "linux" {
		return nil, fault.New(fault.Config, "the Docker engine runs %s containers", info.OSType).
			WithRemedy("switch it to Linux containers")
	}
	host, err := output(ctx, "context", "inspect", "--format", "{{.Endpoints.docker.Host}}")
	if err != nil {
		return nil, err
	}
	arch := map[string]string{"x86_64": "amd64", "aarch64": "arm64"}[info.Architecture]
	if arch == "" {
		arch = info.Architecture
	}
	return &Engine{
		Version: info.ServerVersion, OS: info.OperatingSystem, Arch: arch, CPUs: info.NCPU,
		security: info.SecurityOptions, host: strings.TrimSpace(host),
	}, nil
}

// has says whether the engine reports a security option, such as rootless.
func (e *Engine) has(option string) bool {
	return slices.ContainsFunc(e.security, func(text string) bool {
		return text == "name="+option || strings.HasPrefix(text, "name="+option+",")
	})
}

// Warnings are what in the engine's own settings makes containers weaker.
func (e *Engine) Warnings() []string {
	if slices.ContainsFunc(e.security, func(text string) bool {
		return strings.HasPrefix(text, "name=seccomp") && !strings.HasSuffix(text, "=unconfined")
	}) {
		return nil
	}
	return []string{"the engine confines containers with no seccomp profile; programs keep the executor's own"}
}

// CannotShareSocket says why a unix socket in a directory of this machine would not be
// one in the container too, or nothing.
func (e *Engine) CannotShareSocket() string {
	switch {
	case runtime.GOOS != "linux":
		return "the engine runs in a virtual machine"
	case strings.Contains(e.OS, "Docker Desktop"):
		return "Docker Desktop runs containers in a virtual machine"
	case e.has("userns"):
		return "the engine maps the users of containers to others (userns-remap)"
	}
	return ""
}

// remote refuses an engine whose containers cannot see this machine's files.
func (e *Engine) remote() error {
	if strings.HasPrefix(e.host, "unix://") || strings.HasPrefix(e.host, "npipe://") {
		return nil
	}
	return fault.New(fault.Config, "the Docker engine is on another machine (%s), which does not see this one's files", e.host).
		WithRemedy("run codemode docker there, or choose an engine of this machine with docker context use or DOCKER_HOST")
}

// maxOutput bounds what is kept of what a docker command prints.
const maxOutput = 1 << 20

// output runs a docker command and gives what it prints.
func output(ctx context.Context, args ...string) (string, error) {
	return command{args: args}.run(ctx)
}

// A command is one run of the docker command.
type command struct {
	args []string
	in   io.Reader
	env  []string  // NAME=value, in addition to this process's environment
	show io.Writer // gets all that is printed, while it is; may be nil
}

func (c command) run(ctx context.Context) (string, error) {
	cmd := exec.CommandContext(ctx, "docker", c.args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	var stdout, stderr tail
	cmd.Stdin, cmd.Stdout, cmd.Stderr = c.in, &stdout, &stderr
	if c.show != nil {
		cmd.Stdout, cmd.Stderr = io.MultiWriter(&stdout, c.show), io.MultiWriter(&stderr, c.show)
	}
	cmd.Env = append(os.Environ(), c.env...)
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return "", fault.Wrap(fault.Cancelled, ctx.Err(), "docker %s was cut off", c.args[0])
	case errors.Is(err, exec.ErrNotFound):
		return "", fault.New(fault.Unavailable, "Docker is not installed: there is no docker command in PATH").
			WithRemedy("install it as https://docs.docker.com/engine/install/ says, or run codemode serve without a container")
	case err != nil:
		return "", explain(string(stderr.kept), err)
	}
	return string(stdout.kept), nil
}

// tail keeps the end of what is written to it.
type tail struct{ kept []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	if excess := len(t.kept) - maxOutput; excess > 0 {
		t.kept = append(t.kept[:0], t.kept[excess:]...)
	}
	return len(p), nil
}

// What Docker's versions say when something fails, and what to do about it. The first
// that fits counts.
var complaints = []struct {
	says          []string
	code          fault.Code
	means, remedy string
}{
	{[]string{"permission denied while trying to connect", "dial unix", "permission denied"}, fault.Unavailable,
		"Docker refuses this user", "join the group docker (sudo usermod -aG docker $USER, then log in again), or use rootless Docker"},
	{[]string{"Cannot connect to the Docker daemon"}, fault.Unavailable, "", engineStopped},
	{[]string{"failed to connect to the docker API"}, fault.Unavailable, "", engineStopped},
	{[]string{"error during connect"}, fault.Unavailable, "", engineStopped},
	{[]string{"is already in use by container"}, fault.Config,
		"the container's name is taken", "choose another --name"},
	{[]string{"port is already allocated"}, fault.Config, "the port is taken by another container", "choose another --port"},
	{[]string{"address already in use"}, fault.Config, "the port is taken by another process", "choose another --port"},
	{[]string{"cannot assign requested address"}, fault.Config, "the port cannot be published", "choose another --port"},
	{[]string{"pull access denied"}, fault.Config, imageMissing, imageRemedy},
	{[]string{"manifest unknown"}, fault.Config, imageMissing, imageRemedy},
	{[]string{"No such image"}, fault.Config, imageMissing, imageRemedy},
	{[]string{"/v2/"}, fault.Unavailable, "the image is not here and no registry answers", imageRemedy},
	{[]string{"failed to resolve"}, fault.Unavailable, "the image is not here and no registry answers", imageRemedy},
}

const (
	engineStopped = "start it: sudo systemctl start docker, or open Docker Desktop; docker context ls and DOCKER_HOST say which engine is meant"
	imageMissing  = "there is no such image"
	imageRemedy   = "check the name, docker pull it, or name another with --base or --image"
)

// explain turns what the docker command said into what to do about it.
func explain(said string, cause error) error {
	said = strings.TrimSpace(said)
	// What is wrong with an argument stands above the words about the command's usage.
	if before, _, found := strings.Cut(said, "\n\nUsage:"); found {
		said = strings.TrimSpace(before)
	}
	line := lastLine(said)
	for _, c := range complaints {
		if slices.ContainsFunc(c.says, func(text string) bool { return !strings.Contains(said, text) }) {
			continue
		}
		if c.means == "" {
			return fault.New(c.code, "Docker is installed, and its engine is not running: %s", line).WithRemedy("%s", c.remedy)
		}
		return fault.New(c.code, "%s: %s", c.means, line).WithRemedy("%s", c.remedy)
	}
	if line == "" && cause != nil {
		return fault.Wrap(fault.Unavailable, cause, "docker failed and did not say why")
	}
	return fault.New(fault.Unavailable, "Docker refused: %s", line)
}

// lastLine gives the last line that says something, without Docker's own introduction.
func lastLine(said string) string {
	var line []byte
	for l := range bytes.Lines([]byte(said)) {
		l = bytes.TrimSpace(l)
		// What follows a refusal is advice on the docker command.
		if len(l) > 0 && !bytes.Contains(l, []byte("--help")) && !bytes.HasPrefix(l, []byte("For more help")) {
			line = l
		}
	}
	return strings.TrimPrefix(string(line[:min(len(line), 4000)]), "docker: ")
}
