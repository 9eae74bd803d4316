package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
)

// command is a peer that starts a process for each program.
func command(name, isolation string, args ...string) peer {
	return peer{name: name, isolation: isolation, start: func(context.Context) (func(context.Context) error, func() error, error) {
		if _, err := exec.LookPath(args[0]); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", args[0], errMissing)
		}
		return func(ctx context.Context) error {
			cmd := exec.CommandContext(ctx, args[0], args[1:]...)
			cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "DOCKER_HOST=" + os.Getenv("DOCKER_HOST"), "LANG=C.UTF-8"}
			return says(cmd.CombinedOutput())
		}, func() error { return nil }, nil
	}}
}

// The interpreter that the system has, as a sandbox would start it: nothing but what it is
// made of.
var python = []string{"/usr/bin/python3", "-I", "-S", "-c", "print(1+1)"}

// bubblewrap has the namespaces that codemode has, and the files that Python needs.
func bubblewrap() peer {
	args := []string{"bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--ro-bind", "/usr", "/usr"}
	for _, link := range []string{"/lib", "/lib64", "/bin"} {
		if target, err := os.Readlink(link); err == nil {
			args = append(args, "--symlink", target, link)
		} else if _, err := os.Stat(link); err == nil {
			args = append(args, "--ro-bind", link, link)
		}
	}
	args = append(args, "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--clearenv")
	return command("bubblewrap, starting python3", "namespaces; no seccomp filter, Landlock or limits unless one writes them", append(args, python...)...)
}

func nsjail() peer {
	args := []string{
		"nsjail", "-Mo", "-Q", "--user", "65534", "--group", "65534", "-R", "/usr", "-R", "/lib", "-R", "/lib64",
		"-T", "/tmp", "--rlimit_as", "512", "--",
	}
	return command("nsjail, starting python3", "namespaces, limits; a seccomp filter if one writes it", append(args, python...)...)
}

func dockerRun(image string) peer {
	p := command("docker run", "container: namespaces, cgroup, seccomp profile, no network, no capabilities",
		"docker", "run", "--rm", "--network", "none", "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
		"--read-only", "--user", "65534", image, "python3", "-I", "-S", "-c", "print(1+1)")
	p.slow = true
	start := p.start
	p.start = func(ctx context.Context) (func(context.Context) error, func() error, error) {
		if out, err := exec.CommandContext(ctx, "docker", "image", "inspect", image).CombinedOutput(); err != nil {
			return nil, nil, fmt.Errorf("no engine with the image %s (%w): %.80q", image, errMissing, out)
		}
		return start(ctx)
	}
	return p
}
