//go:build linux

package sidecar_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/codemode-sdk/codemode/executorclient"
	"github.com/codemode-sdk/codemode/internal/docker"
	"github.com/codemode-sdk/codemode/sidecar/sandbox"
)

const (
	// imageVariable names an image with a python3 that has numpy and pandas, and with the
	// C library that this test binary may be linked against.
	imageVariable = "CODEMODE_TEST_IMAGE"
	defaultImage  = "codemode-test-base:latest"
	// homeVariable is set where a test has started this test binary in another home.
	homeVariable = "CODEMODE_TEST_HOME"
)

// homeTests are the tests that start this binary again, and are of no use in there.
const homeTests = "^TestAllHolds"

// skipAtHome skips what takes minutes where nobody asked for it: CI does.
func skipAtHome(t *testing.T) {
	t.Helper()
	if os.Getenv("CI") != "true" {
		t.Skip("it repeats this package's tests in another home, which takes minutes: set CI=true")
	}
	if os.Getenv(homeVariable) != "" {
		t.Skip("it is about the home that this runs in")
	}
}

// The executor's tests, attacks included, hold in a container that gives nothing:
// no user, no capabilities, no writable file system, no network, no namespaces. It is
// hardened as the one that codemode docker start makes.
func TestAllHoldsInAHardenedContainer(t *testing.T) {
	skipAtHome(t)
	image := cmp.Or(os.Getenv(imageVariable), defaultImage)
	if why := dockerLacks(t.Context(), image); why != "" {
		t.Fatal(why)
	}
	// As many executors as tests run at once are in there; a product's container has one.
	limits := docker.Limits{Memory: 4 << 30, CPUs: float64(min(2, runtime.NumCPU())), PIDs: 4096, Temporary: 200 << 20}
	name := "codemode-test-" + strconv.Itoa(os.Getpid())
	args := append([]string{"run", "--rm", "--name", name, "--network", "none"}, docker.Hardening(sandbox.UnprivilegedID, limits)...)
	t.Cleanup(func() { // the command may end before its container
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		_ = exec.CommandContext(ctx, "docker", "rm", "--force", "--volumes", name).Run()
	})
	runHome(t, exec.CommandContext(t.Context(), "docker", append(args,
		"--volume", binary(t)+":/t:ro", "--env", "HOME=/tmp", "--env", homeVariable+"=container",
		"--env", pythonVariable+"=/usr/bin/python3", image, "/t")...))
}

// The attacks hold in the very container that codemode docker start makes, on the executor
// that serves in it: its limits are those of its configuration, and no test's.
func TestAllHoldsInTheContainerOfDockerStart(t *testing.T) {
	skipAtHome(t)
	image := cmp.Or(os.Getenv(imageVariable), defaultImage)
	if why := dockerLacks(t.Context(), image); why != "" {
		t.Fatal(why)
	}
	dir, err := os.MkdirTemp("", "cm") // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	command, name := filepath.Join(dir, "codemode"), "codemode-test-start-"+strconv.Itoa(os.Getpid())
	run := func(name string, args ...string) error {
		cmd := exec.Command(name, args...)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "XDG_CACHE_HOME="+filepath.Join(dir, "c"))
		out, err := cmd.CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s %v: %w\n%s", name, args, err, out)
		}
		return nil
	}
	t.Cleanup(func() {
		if err := errors.Join(run(command, "docker", "remove", "--name", name), os.RemoveAll(dir)); err != nil {
			t.Error(err)
		}
	})
	if err := run("go", "build", "-o", command, "../cmd/codemode"); err != nil {
		t.Fatal(err)
	}
	if err := run(command, "docker", "start", "--base", image, "--name", name); err != nil {
		t.Fatal(err)
	}
	client := dial(t, executorclient.Options{Address: "unix://" + filepath.Join(dir, "c/codemode/docker", name, "run/executor.sock")})
	holdAttacks(t, &executor{Client: client})
}

// dockerLacks says why no container can be started from the image, or nothing.
func dockerLacks(ctx context.Context, image string) string {
	if _, err := exec.LookPath("docker"); err != nil {
		return "there is no docker command"
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if out, err := exec.CommandContext(ctx, "docker", "version").CombinedOutput(); err != nil {
		return "no Docker engine answers: " + strings.TrimSpace(string(out))
	}
	if exec.CommandContext(ctx, "docker", "image", "inspect", image).Run() != nil {
		return "there is no image " + image + " (make base-image makes one; " + imageVariable + " names another)"
	}
	return ""
}

// The executor's tests hold on a host whose user has no rights to speak of.
func TestAllHoldsForAnUnprivilegedUser(t *testing.T) {
	skipAtHome(t)
	if os.Geteuid() != 0 {
		t.Skip("only root can become another user; every other test runs as this unprivileged one already")
	}
	// Go's own build directory is closed to others.
	own := openDirectory(t, "home")
	copied := filepath.Join(own, "t")
	data, err := os.ReadFile(binary(t))
	if err == nil {
		err = os.WriteFile(copied, data, 0o755)
	}
	if err == nil {
		err = os.Chmod(copied, 0o755)
	}
	id := sandbox.UnprivilegedID
	if err == nil {
		err = errors.Join(os.Chown(own, id, id), os.Chmod(own, 0o755))
	}
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), copied, "-test.short")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(id), Gid: uint32(id)}, Setsid: true}
	cmd.Dir = own
	cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=" + own, "TMPDIR=" + own, homeVariable + "=unprivileged"}
	if python := os.Getenv(pythonVariable); python != "" {
		cmd.Env = append(cmd.Env, pythonVariable+"="+python)
	}
	runHome(t, cmd)
}

func binary(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// runHome runs the tests elsewhere, and shows what they say if they fail.
func runHome(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	// The whole of this test has a deadline, and what the other home says is to be seen.
	limit := time.Hour
	if deadline, bounded := t.Deadline(); bounded {
		limit = time.Until(deadline) - time.Minute
	}
	cmd.Args = append(cmd.Args, "-test.skip", homeTests, "-test.timeout", limit.String())
	if testing.Verbose() {
		cmd.Args = append(cmd.Args, "-test.v")
	}
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.CombinedOutput()
	said := string(out)
	if testing.Verbose() {
		t.Log(said)
	}
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		t.Errorf("%v\n%s", err, said[max(0, len(said)-20_000):])
	case err != nil:
		t.Fatal(err)
	case !strings.HasSuffix(strings.TrimSpace(said), "PASS"):
		t.Errorf("no tests were run:\n%s", said)
	}
}
