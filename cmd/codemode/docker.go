package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/codemode-sdk/codemode/internal/docker"
)

func dockerCommand() command {
	return command{
		name:    "docker",
		usage:   "docker COMMAND [flags]",
		summary: "runs an executor in a container of its own",
		help: `
The container has no user, no capabilities, no writable file system and, unless a port is
asked for, no network. It needs Docker, whose engine must be on this machine.`,
		members: []command{
			dockerCheckCommand(), dockerBuildCommand(), dockerStartCommand(),
			dockerStatusCommand(), dockerStopCommand(), dockerRemoveCommand(),
		},
	}
}

// whileAllowed gives a context that ends with the first SIGINT or SIGTERM.
func whileAllowed() (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process
	return ctx, stop
}

func dockerCheckCommand() command {
	return command{
		name:    "docker check",
		usage:   "docker check",
		summary: "says whether Docker is there, runs, and may be used",
		prepare: func(_ *flagSet, io stdio) func([]string) (int, error) {
			return func(args []string) (int, error) {
				ctx, stop := whileAllowed()
				defer stop()
				if err := none(args); err != nil {
					return exitOther, err
				}
				engine, err := docker.Find(ctx)
				if err != nil {
					return exitOther, err
				}
				fmt.Fprintf(io.out, "✓ Docker is available and running\n\nDocker Information:\n  Version: %s\n  OS: %s\n", engine.Version, engine.OS)
				if why := engine.CannotShareSocket(); why != "" {
					fmt.Fprintf(io.out, "  Executors listen on a port here, not on a unix socket: %s\n", why)
				}
				for _, warning := range engine.Warnings() {
					fmt.Fprintf(io.err, "codemode docker check: %s\n", warning)
				}
				return exitOK, nil
			}
		},
	}
}

// imageFlags are the flags that say what is in an image.
type imageFlags struct {
	packages                                     texts
	requirements, base, wheels, binary, buildNet *string
}

func addImageFlags(flags *flagSet) *imageFlags {
	f := &imageFlags{}
	flags.Var(&f.packages, "packages", "install `PACKAGES`, such as numpy pandas, for programs to import")
	f.requirements = flags.String("requirements", "", "install what `FILE`, such as requirements.txt, lists")
	f.base = flags.String("base", "", "build on `IMAGE`, which has a python3, in place of python:3.13-slim")
	f.wheels = flags.String("wheels", "", "install from the wheels in `DIR` alone, without a package index")
	f.binary = flags.String("binary", "", "put the codemode in `FILE`, one for Linux, into the image in place of this one")
	f.buildNet = flags.String("build-network", "", "build in `NETWORK`, such as host, as docker build --network has it")
	return f
}

// image reads what the image is made from. What follows --packages are more of them.
func (f *imageFlags) image(engine *docker.Engine, rest []string) (*docker.Image, error) {
	if len(f.packages) == 0 {
		if err := none(rest); err != nil {
			return nil, err
		}
	}
	binary, err := docker.Executable(*f.binary, engine.Arch)
	if err != nil {
		return nil, err
	}
	return docker.NewImage(docker.ImageOptions{
		Base: *f.base, Packages: append(f.packages, rest...), Requirements: *f.requirements,
		Wheels: *f.wheels, Binary: binary,
	})
}

// build makes the image, under one more name unless that is empty, and tells so.
func (f *imageFlags) build(ctx context.Context, image *docker.Image, name string, io stdio) error {
	fmt.Fprintf(io.err, "building the image %s with %d packages\n", image.Tag, image.Packages())
	return image.Build(ctx, *f.buildNet, name, io.err)
}

func dockerBuildCommand() command {
	return command{
		name:    "docker build",
		usage:   "docker build [--packages PACKAGES...] [flags]",
		summary: "makes the executor's image, with the packages that programs may import",
		help: `
Its name, which is printed, follows from what is in it. codemode docker start with the
same flags uses it, and makes it where it is not there. Packages are installed now, and
not when a container starts.`,
		prepare: func(flags *flagSet, io stdio) func([]string) (int, error) {
			f := addImageFlags(flags)
			name := flags.String("tag", "", "give the image one more `NAME`, such as registry.example.com/executor:1")
			return func(args []string) (int, error) {
				ctx, stop := whileAllowed()
				defer stop()
				engine, err := docker.Find(ctx)
				if err != nil {
					return exitOther, err
				}
				image, err := f.image(engine, args)
				if err == nil {
					err = f.build(ctx, image, *name, io)
				}
				if err != nil {
					return exitOther, err
				}
				if *name == "" {
					*name = image.Tag
				}
				fmt.Fprintf(io.out, "✓ %s\n", *name)
				return exitOK, nil
			}
		},
	}
}

// onContainer is a command about one container, which takes its name.
func onContainer(verb, summary, help string, act func(ctx context.Context, io stdio, name string) (int, error)) command {
	return command{
		name: "docker " + verb, usage: "docker " + verb + " [--name NAME]", summary: summary, help: help,
		prepare: func(flags *flagSet, io stdio) func([]string) (int, error) {
			name := flags.String("name", docker.DefaultName, "the container's `NAME`")
			return func(args []string) (int, error) {
				ctx, stop := whileAllowed()
				defer stop()
				if err := none(args); err != nil {
					return exitOther, err
				}
				return act(ctx, io, *name)
			}
		},
	}
}

func dockerStatusCommand() command {
	help := "\nExit status: 0 if the container runs, 2 if it does not, or is not there."
	return onContainer("status", "says how the container is", help, func(ctx context.Context, io stdio, name string) (int, error) {
		container, err := docker.Own(ctx, name)
		if err != nil {
			return exitOther, err
		}
		fmt.Fprintf(io.out, "Container '%s' status:\n  Status: %s\n  Address: %s\n  Image: %s\n",
			container.Name, container.Status, container.Address, container.Image)
		if container.Running {
			return exitOK, nil
		}
		if strings.HasPrefix(container.Status, "Exited (0)") {
			return exitOther, nil
		}
		said, err := container.Logs(ctx)
		if err == nil && said != "" {
			_, err = fmt.Fprintf(io.out, "\nIts last words:\n%s", said)
		}
		return exitOther, err
	})
}

func dockerStopCommand() command {
	help := "\nWhat runs may come to its end first, within limits.code_timeout."
	return onContainer("stop", "stops the container", help, func(ctx context.Context, io stdio, name string) (int, error) {
		container, err := docker.Own(ctx, name)
		if err != nil {
			return exitOther, err
		}
		if !container.Running {
			return exitOther, fmt.Errorf("the container %s does not run (%s)", name, container.Status)
		}
		if err := container.Stop(ctx); err != nil {
			return exitOther, err
		}
		fmt.Fprintf(io.out, "✓ Container '%s' is stopped\n", name)
		return exitOK, nil
	})
}

func dockerRemoveCommand() command {
	help := "\nOne that runs is stopped first. The image stays."
	return onContainer("remove", "removes the container", help, func(ctx context.Context, io stdio, name string) (int, error) {
		container, err := docker.Own(ctx, name)
		if err == nil && container.Running {
			err = container.Stop(ctx)
		}
		if err == nil {
			err = container.Remove(ctx)
		}
		if err != nil {
			return exitOther, err
		}
		fmt.Fprintf(io.out, "✓ Container '%s' is removed\n", name)
		return exitOK, nil
	})
}
