package docker

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/codemode-sdk/codemode/internal/fault"
)

// DefaultName is what the executor's container is called unless it is named.
const DefaultName = "codemode-executor"

// Labels of what is made here. A container without the first is none of ours.
const (
	roleLabel    = "codemode.role=executor"
	addressLabel = "codemode.address"
)

var containerName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$`)

// CheckName refuses what Docker would not take for the name of a container.
func CheckName(name string) error {
	if !containerName.MatchString(name) {
		return fault.New(fault.Config, "%.100q is not the name of a container", name).
			WithRemedy("--name takes 1 to 63 letters, digits, dots, dashes and underscores, and begins with a letter or a digit")
	}
	return nil
}

// A Container is one that exists.
type Container struct {
	Name string
	// Status is Docker's for people, such as "Up 2 minutes".
	Status  string
	Running bool
	// Ours is true if it was started by Start; the rest is set only then.
	Ours bool
	// Address is where its executor answers, as executor.url has it.
	Address string
	Image   string
}

// Look finds a container by its name; it is nil if there is none.
func Look(ctx context.Context, name string) (*Container, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	out, err := output(ctx, "ps", "--all", "--no-trunc", "--filter", "name=^"+regexp.QuoteMeta(name)+"$", "--format",
		"{{.Status}}\t{{.State}}\t{{.Label \"codemode.role\"}}\t{{.Label \""+addressLabel+"\"}}\t{{.Image}}")
	if err != nil {
		return nil, err
	}
	line, _, _ := strings.Cut(out, "\n")
	if line == "" {
		return nil, nil
	}
	fields := strings.Split(line, "\t")
	if len(fields) != 5 {
		return nil, fault.New(fault.Unavailable, "the docker command answers in a form that is not Docker's")
	}
	return &Container{
		Name: name, Status: fields[0], Running: fields[1] == "running", Ours: fields[2] == "executor",
		Address: fields[3], Image: fields[4],
	}, nil
}

// notOurs is the error of a command for a container that somebody else made.
func notOurs(name string) error {
	return fault.New(fault.Config, "the container %s was not made by codemode docker start", name).
		WithRemedy("choose another --name, or deal with it by docker itself")
}

// Own is Look for a container that must be there and be ours.
func Own(ctx context.Context, name string) (*Container, error) {
	c, err := Look(ctx, name)
	switch {
	case err != nil:
		return nil, err
	case c == nil:
		return nil, fault.New(fault.Config, "there is no container %s", name).WithRemedy("codemode docker start makes it")
	case !c.Ours:
		return nil, notOurs(name)
	}
	return c, nil
}

// Stop lets what runs come to its end, within the time the container was started with.
func (c *Container) Stop(ctx context.Context) error {
	_, err := output(ctx, "stop", c.Name)
	return err
}

// Remove takes away a container that does not run, its network, and its directory.
func (c *Container) Remove(ctx context.Context) error {
	if _, err := output(ctx, "rm", "--volumes", c.Name); err != nil {
		return err
	}
	if err := removeNetwork(ctx, c.Name); err != nil {
		return err
	}
	return removeDirectory(c.Name)
}

// Logs gives the end of what the container's executor has written.
func (c *Container) Logs(ctx context.Context) (string, error) {
	var said tail
	_, err := command{args: []string{"logs", "--tail", "20", c.Name}, show: &said}.run(ctx)
	return string(said.kept), err
}

// Limits are what a container may use at most.
type Limits struct {
	Memory int64 // bytes, swap included
	CPUs   float64
	PIDs   int
	// Temporary is the size of /tmp, in bytes. It counts as memory.
	Temporary int64
}

// Hardening gives the flags of docker run under which an executor gives programs the
// least: no user, no capabilities, nothing to gain any with, no file system to write to
// but a small one in memory from which nothing can be started. group is that of the
// process, which is 65534 unless somebody outside is to share its socket.
func Hardening(group int, l Limits) []string {
	return []string{
		"--user", "65534:" + strconv.Itoa(group), "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--read-only",
		"--tmpfs", temporary("/tmp", l.Temporary),
		"--memory", strconv.FormatInt(l.Memory, 10), "--memory-swap", strconv.FormatInt(l.Memory, 10),
		"--cpus", strconv.FormatFloat(l.CPUs, 'f', -1, 64), "--pids-limit", strconv.Itoa(l.PIDs),
		"--ipc", "private", "--ulimit", "core=0",
	}
}

// temporary is a directory in memory for everybody, for data alone.
func temporary(path string, size int64) string {
	return fmt.Sprintf("%s:rw,noexec,nosuid,nodev,size=%d,mode=1777", path, size)
}

// A Start is a container to start.
type Start struct {
	Name, Image string
	Limits      Limits
	// Port is what the executor's port is published as on this machine's loopback
	// addresses; zero for a unix socket in a directory of the user's.
	Port int
	// Network lets the container reach what this machine reaches.
	Network bool
	// Encrypted says that the executor serves TLS on its port.
	Encrypted bool
	// Files are what the executor reads when it starts: its configuration, keys, certificates.
	Files []File
	// Environment are variables of this process to pass on, by name. What Files and
	// Settings set counts before them.
	Environment []string
	// Settings are variables for the container, NAME=value. They are no secrets.
	Settings []string
	// Temporary are more directories like /tmp, each of the same size.
	Temporary []string
	// Shared is a directory of this machine that programs see at the same path, if any.
	Shared Share
	// Patience is how long what runs may take to come to its end when it is stopped.
	Patience time.Duration
}

// A File is a copy of a file for the executor, which it can read and not change.
type File struct {
	// Name is that in the container's directory for them, which no program can read.
	Name string
	// Variable is the environment variable by which the executor gets the path.
	Variable string
	Data     []byte
}

// Share is a directory of this machine in the container.
type Share struct {
	Source, Mount string
	Readonly      bool
}

// Run starts the container and gives the address where its executor will answer. A
// container of ours that has stopped makes room for it.
func (e *Engine) Run(ctx context.Context, s Start) (address string, err error) {
	if err := e.remote(); err != nil {
		return "", err
	}
	if err := makeRoom(ctx, s.Name); err != nil {
		return "", err
	}
	dir, err := makeDirectory(s.Name, e.has("rootless"), s.Files)
	if err != nil {
		return "", err
	}
	args := append([]string{"run", "--detach", "--name", s.Name, "--label", roleLabel,
		"--stop-timeout", strconv.Itoa(int(s.Patience/time.Second) + 5)}, Hardening(dir.group, s.Limits)...)
	for _, path := range s.Temporary {
		args = append(args, "--tmpfs", temporary(path, s.Limits.Temporary))
	}
	args = append(args, s.environment()...)
	if len(s.Files) > 0 {
		args = append(args, "--mount", "type=bind,readonly,source="+dir.files+",target="+filesMount)
	}
	if s.Shared.Mount != "" {
		mount := "type=bind,source=" + s.Shared.Source + ",target=" + s.Shared.Mount
		if s.Shared.Readonly {
			mount += ",readonly"
		}
		args = append(args, "--mount", mount, "--env", "CODEMODE_WORKSPACE_SOURCE="+s.Shared.Mount)
	}
	serve := []string{"serve", "--socket", "/run/codemode/executor.sock"}
	if s.Port != 0 {
		serve = []string{"serve", "--host", "0.0.0.0", "--port", "8001"}
		scheme := "http"
		if s.Encrypted {
			scheme = "https"
		}
		address = scheme + "://localhost:" + strconv.Itoa(s.Port)
		args = append(args, "--publish", fmt.Sprintf("127.0.0.1:%d:8001", s.Port))
	} else {
		address = "unix://" + dir.socket
		args = append(args, "--mount", "type=bind,source="+dir.run+",target=/run/codemode", "--env", "CODEMODE_SOCKET_MODE=0660")
	}
	network, err := networkFor(ctx, s)
	if err != nil {
		return "", err
	}
	args = append(args, "--network", network, "--label", addressLabel+"="+address, s.Image)
	if _, err := output(ctx, append(args, serve...)...); err != nil {
		return "", s.undo(ctx, err)
	}
	return address, nil
}

// filesMount is where the executor's files are in its container.
const filesMount = "/etc/codemode"

// environment gives the flags for the container's variables, each of them once.
func (s Start) environment() []string {
	settings := slices.Clone(s.Settings)
	for _, file := range s.Files {
		settings = append(settings, file.Variable+"="+filesMount+"/"+file.Name)
	}
	var flags []string
	for _, name := range s.Environment {
		if !slices.ContainsFunc(settings, func(setting string) bool { return strings.HasPrefix(setting, name+"=") }) {
			flags = append(flags, "--env", name) // the value is in no argument list
		}
	}
	for _, setting := range settings {
		flags = append(flags, "--env", setting)
	}
	return flags
}

// undo takes away what a container that could not be started left: Docker makes it, and
// then fails over its port, say.
func (s Start) undo(ctx context.Context, cause error) error {
	ctx = context.WithoutCancel(ctx)
	left, err := Look(ctx, s.Name)
	if err == nil && left != nil && left.Ours && !left.Running {
		err = left.Remove(ctx)
	}
	if err != nil {
		return fmt.Errorf("%w; and what is left of it could not be removed: %w", cause, err)
	}
	return cause
}

// CheckFree refuses a name that Run could not use: one that runs, or is not ours.
func CheckFree(ctx context.Context, name string) error {
	_, err := stopped(ctx, name)
	return err
}

// makeRoom removes a container of ours that has the name and does not run.
func makeRoom(ctx context.Context, name string) error {
	c, err := stopped(ctx, name)
	if err == nil && c != nil {
		err = c.Remove(ctx)
	}
	return err
}

func stopped(ctx context.Context, name string) (*Container, error) {
	c, err := Look(ctx, name)
	switch {
	case err != nil || c == nil:
		return nil, err
	case !c.Ours:
		return nil, fault.New(fault.Config, "the name %s is taken by a container that is none of codemode's", name).WithRemedy("choose another --name")
	case c.Running:
		return nil, fault.New(fault.Config, "the container %s is running already (%s)", name, c.Status).
			WithRemedy("codemode docker stop stops it; another --name starts another")
	}
	return c, nil
}

// networkFor gives the container's network: none, where nothing is to be reached from
// either side, or one of its own, on which nobody else is.
func networkFor(ctx context.Context, s Start) (string, error) {
	if s.Port == 0 && !s.Network {
		return "none", nil
	}
	args := []string{"network", "create", "--label", roleLabel, "--driver", "bridge"}
	if !s.Network {
		// Nothing is translated on its way out, so nothing comes back in.
		args = append(args, "--opt", "com.docker.network.bridge.enable_ip_masquerade=false")
	}
	if err := removeNetwork(ctx, s.Name); err != nil {
		return "", err
	}
	_, err := output(ctx, append(args, s.Name)...)
	return s.Name, err
}

// removeNetwork removes the network of a container, if there is one that is ours.
func removeNetwork(ctx context.Context, name string) error {
	out, err := output(ctx, "network", "ls", "--no-trunc", "--filter", "name=^"+regexp.QuoteMeta(name)+"$",
		"--filter", "label="+roleLabel, "--format", "{{.ID}}")
	if id := strings.TrimSpace(out); err == nil && id != "" {
		_, err = output(ctx, "network", "rm", id)
	}
	return err
}
