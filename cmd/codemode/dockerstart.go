package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/executorclient"
	"github.com/codemode-sdk/codemode/internal/docker"
	"github.com/codemode-sdk/codemode/internal/fault"
)

// ownMemory is what an executor and its fork server need besides the programs, in bytes,
// and ownPIDs their threads and those of workers that wait.
const (
	ownMemory = 256 << 20
	ownPIDs   = 256
)

// refusalTimeout is how long an end that cuts connections off may be one that is not ready.
const refusalTimeout = 10 * time.Second

// startTimeout bounds how long a container may take until its executor answers.
const startTimeout = time.Minute

func dockerStartCommand() command {
	return command{
		name:    "docker start",
		usage:   "docker start [--packages PACKAGES...] [flags]",
		summary: "starts an executor in a hardened container",
		help: `
On Linux the executor listens on a unix socket in a directory of this user's, and the
container has no network. With --port, or where executor.url is http://localhost:PORT, it
listens on that port of this machine's loopback address, which takes an API key (such as
one in CODEMODE_API_KEY) or client certificates.

The configuration is the executor's half of codemode.yaml, with the variables, keys and
certificates that it names, as they are now: start again when they change. Memory, processes and temporary space follow from its limits. The image is made
first if it is not there. A container of this name that has stopped makes room.`,
		prepare: func(flags *flagSet, io stdio) func([]string) (int, error) {
			s := &dockerStart{io: io, imageFlags: addImageFlags(flags)}
			flags.StringVar(&s.file, "config", "", "configure from `FILE` in place of codemode.yaml")
			flags.StringVar(&s.name, "name", docker.DefaultName, "call the container `NAME`")
			flags.StringVar(&s.image, "image", "", "start `IMAGE`, which codemode docker build or deploy/docker made, and make none")
			flags.StringVar(&s.memory, "memory", "", "bound the container's memory to `SIZE`, such as 2Gi; fewer programs run at once if need be")
			flags.IntVar(&s.port, "port", 0, "listen on `PORT` of this machine in place of a unix socket")
			flags.Float64Var(&s.cpus, "cpus", 0, "give the container `N` processors in place of 2")
			return func(args []string) (int, error) {
				ctx, stop := whileAllowed()
				defer stop()
				if s.image != "" && (flags.given("base") || flags.given("binary") || flags.given("packages") || flags.given("requirements")) {
					return exitOther, errors.New("--image names an image that is made: it does not go with what one is made from")
				}
				if flags.given("port") && (s.port < 1 || s.port > 65535) {
					return exitOther, errors.New("--port takes a number from 1 to 65535")
				}
				if err := s.run(ctx, args); err != nil {
					return exitOther, err
				}
				return exitOK, nil
			}
		},
	}
}

// A dockerStart is one run of codemode docker start.
type dockerStart struct {
	io stdio
	*imageFlags
	file, name, image, memory string
	port                      int
	cpus                      float64
}

func (s *dockerStart) run(ctx context.Context, rest []string) error {
	engine, err := docker.Find(ctx)
	if err != nil {
		return err
	}
	if err := docker.CheckFree(ctx, s.name); err != nil {
		return err
	}
	loaded, err := config.Load(s.file)
	if err != nil {
		return err
	}
	start, err := s.plan(engine, loaded)
	if err != nil {
		return err
	}
	if start.Image, err = s.prepare(ctx, engine, rest); err != nil {
		return err
	}
	address, err := engine.Run(ctx, *start)
	if err != nil {
		return err
	}
	info, err := s.wait(ctx, address, loaded.Client())
	if err != nil {
		return err
	}
	s.tell(address, start.Image, info, loaded)
	return nil
}

// plan says what to start, but for the image.
func (s *dockerStart) plan(engine *docker.Engine, loaded *config.Config) (*docker.Start, error) {
	cfg := loaded.Sidecar()
	if s.port == 0 {
		s.port = localPort(loaded.Executor.URL)
	}
	if why := engine.CannotShareSocket(); why != "" && s.port == 0 {
		s.port = cfg.Port
		fmt.Fprintf(s.io.err, "codemode docker start: on port %d, because a unix socket cannot be shared: %s\n", s.port, why)
	}
	cfg.Socket, cfg.Host = "/run/codemode/executor.sock", "127.0.0.1"
	if s.port != 0 {
		cfg.Socket, cfg.Host = "", "0.0.0.0"
	}
	if s.port != 0 && len(cfg.APIKeys) == 0 && cfg.APIKeysFile == "" && (!cfg.TLS.Enabled || cfg.TLS.ClientAuth != config.ClientAuthRequire) {
		return nil, fault.New(fault.Config, "an executor on port %d takes an API key, and there is none: every user of this machine could run programs", s.port).
			WithRemedy("set CODEMODE_API_KEY or executor.server.api_keys_file, or ask for certificates with grpc.tls.client_auth: require")
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	start := &docker.Start{
		Name: s.name, Port: s.port, Encrypted: cfg.TLS.Enabled, Network: cfg.Network.Mode != config.NetworkNone, Patience: cfg.DrainTimeout,
	}
	var err error
	if start.Files, start.Environment, err = carried(loaded.File, cfg); err != nil {
		return nil, err
	}
	if share := cfg.Filesystem.Workspace; share.Mount != "" {
		start.Shared = docker.Share{Source: share.Source, Mount: share.Mount, Readonly: share.Readonly}
		if share.Source == "" {
			start.Shared.Source = share.Mount
		}
	}
	for _, own := range []config.Mount{cfg.Filesystem.Sandbox, cfg.Filesystem.Outputs} {
		if own.Mount != "" {
			start.Temporary = append(start.Temporary, own.Mount)
		}
	}
	return start, s.limit(start, cfg, engine.CPUs)
}

// limit makes the container as large as the programs that run at once may be together, or
// lets fewer run where the container was given less.
func (s *dockerStart) limit(start *docker.Start, cfg config.SidecarConfig, processors int) error {
	each := cfg.Limits.Memory + cfg.Limits.ScratchSize
	workers := int64(cfg.Pool.MaxWorkers)
	start.Limits.Memory = ownMemory + workers*each
	if s.memory != "" {
		size, err := config.ParseSize(s.memory)
		if err != nil {
			return fmt.Errorf("--memory: %w", err)
		}
		if size < ownMemory+each {
			return fault.New(fault.Config, "--memory %s has no room for one program", s.memory).
				WithRemedy("limits.memory_limit, limits.scratch_size and the executor's own %d Mi take %d Mi", int64(ownMemory>>20), (ownMemory+each)>>20)
		}
		workers = min(workers, (size-ownMemory)/each)
		start.Limits.Memory = size
	}
	start.Limits.Temporary = workers * cfg.Limits.ScratchSize
	start.Limits.PIDs = ownPIDs + int(workers)*cfg.Limits.Threads
	start.Limits.CPUs = min(2, float64(processors))
	if s.cpus != 0 {
		if s.cpus < 0.01 || s.cpus > float64(processors) {
			return fault.New(fault.Config, "--cpus %g cannot be had", s.cpus).WithRemedy("the engine's machine has %d", processors)
		}
		start.Limits.CPUs = s.cpus
	}
	start.Settings = append(start.Settings,
		"CODEMODE_POOL_MAX_WORKERS="+strconv.FormatInt(workers, 10),
		"CODEMODE_POOL_MIN_READY="+strconv.FormatInt(min(workers, int64(cfg.Pool.MinReady)), 10))
	return nil
}

// localPort gives the port of an executor.url that means this machine, or zero.
func localPort(address string) int {
	parsed, err := url.Parse(address)
	if err != nil || parsed.Scheme != "http" && parsed.Scheme != "https" {
		return 0
	}
	if host := parsed.Hostname(); host != "localhost" && host != "127.0.0.1" {
		return 0
	}
	port, err := strconv.Atoi(parsed.Port())
	if err != nil {
		return 0
	}
	return port
}

// prepare gives the image to start: the one that is named, or the one that the flags
// describe, made if it is not there.
func (s *dockerStart) prepare(ctx context.Context, engine *docker.Engine, rest []string) (string, error) {
	if s.image != "" {
		if err := none(rest); err != nil {
			return "", err
		}
		exists, err := docker.Exists(ctx, s.image)
		if err == nil && !exists {
			err = fault.New(fault.Config, "there is no image %s here", s.image).
				WithRemedy("docker pull it, or leave --image out and let this command make one")
		}
		return s.image, err
	}
	image, err := s.imageFlags.image(engine, rest)
	if err != nil {
		return "", err
	}
	exists, err := docker.Exists(ctx, image.Tag)
	if err == nil && !exists {
		err = s.build(ctx, image, "", s.io)
	}
	return image.Tag, err
}

// wait waits until the executor answers, or its container has ended.
func (s *dockerStart) wait(ctx context.Context, address string, as config.ClientConfig) (*executorclient.Info, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	as.ExecutorURL = address
	options := executorclient.Options{Address: address, APIKey: as.ExecutorAPIKey.Reveal(), APIKeyFile: as.ExecutorAPIKeyFile}
	if as.Secure() {
		options.TLS = &executorclient.TLS{
			CAFile: as.TLSCAPath, ServerName: as.TLSServerName, CertFile: as.TLSClientCertPath, KeyFile: as.TLSClientKeyPath,
		}
	}
	client, err := executorclient.Dial(options)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	begun := time.Now()
	for {
		trying, stop := context.WithTimeout(ctx, 2*time.Second)
		info, err := client.Info(trying)
		stop()
		if err == nil {
			return info, nil
		}
		// Docker itself takes connections on a port, and cuts them off, before the executor
		// is there: that is no refusal unless it goes on.
		if fault.CodeOf(err) == fault.Unauthenticated && time.Since(begun) > refusalTimeout {
			return nil, fmt.Errorf("the container %s is running, but this configuration does not get in: %w", s.name, err)
		}
		container, looked := docker.Look(ctx, s.name)
		switch {
		case ctx.Err() != nil:
			return nil, fault.Wrap(fault.Unavailable, err, "the executor in the container %s does not answer", s.name).
				WithRemedy("docker logs %s shows what it says", s.name)
		case looked != nil:
			return nil, looked
		case container == nil:
			return nil, fault.New(fault.Unavailable, "the container %s is gone", s.name).WithRemedy("somebody removed it; start it again")
		case !container.Running:
			return nil, s.ended(ctx, container)
		}
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// ended says why a container has ended at once.
func (s *dockerStart) ended(ctx context.Context, container *docker.Container) error {
	said, err := container.Logs(ctx)
	if err != nil {
		return err
	}
	var last string
	for line := range strings.Lines(said) {
		if line = strings.TrimSpace(line); line != "" {
			last = line
		}
	}
	return fault.New(fault.Unavailable, "the executor in the container %s did not start (%s): %s", s.name, container.Status, last).
		WithRemedy("docker logs %s shows all of it; codemode docker remove and start again once it is put right", s.name)
}

func (s *dockerStart) tell(address, image string, info *executorclient.Info, loaded *config.Config) {
	var layers []string
	for _, layer := range info.Layers {
		if layer.InForce {
			layers = append(layers, layer.Name)
		}
	}
	fmt.Fprintf(s.io.out, "✓ Container '%s' is running\n  Address: %s\n  Image: %s\n  Python: %s\n  Sandbox: %s\n",
		s.name, address, image, info.PythonVersion, strings.Join(layers, ", "))
	if loaded.Executor.URL != address {
		fmt.Fprintf(s.io.out, "\nTell applications where it is:\n  export CODEMODE_EXECUTOR_URL=%s\n", address)
	}
}
