package main

import (
	"archive/zip"
	"cmp"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// dockerImage gives an image with a Python that has numpy, pandas and venv, or skips: in
// CI both the engine and the image are there.
func dockerImage(t *testing.T) string {
	t.Helper()
	image := cmp.Or(os.Getenv("CODEMODE_TEST_IMAGE"), "codemode-test-base:latest")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "docker", "image", "inspect", "--format", "{{.Id}}", image).CombinedOutput()
	if err == nil {
		return image
	}
	why := fmt.Sprintf("no container can be made of %s (.ci/base-image makes it): %v %s", image, err, out)
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
	return ""
}

// staticBinary builds codemode as go install does where there is no C compiler.
func staticBinary(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", dir, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir
}

// TestDocker types what the deployment guide says, on a real engine.
func TestDocker(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the containers' sockets are this machine's on Linux alone")
	}
	image, binary := dockerImage(t), staticBinary(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/docker",
		Setup: func(env *testscript.Env) error {
			// Short, because a socket's path is.
			cache, err := os.MkdirTemp("", "cm")
			if err != nil {
				return err
			}
			port, err := freePort()
			if err != nil {
				return err
			}
			name := fmt.Sprintf("cm-%d-%d", os.Getpid(), port)
			env.Defer(func() {
				for _, name := range []string{name, name + "-2"} {
					// What a script has left, if it has.
					_ = exec.Command("docker", "rm", "--force", "--volumes", name).Run()
					_ = exec.Command("docker", "network", "rm", name).Run()
				}
				if err := os.RemoveAll(cache); err != nil {
					t.Error(err)
				}
			})
			for key, value := range map[string]string{
				"BASE": image, "NAME": name, "PORT": strconv.Itoa(port), "BINARY": filepath.Join(binary, "codemode"),
				"PATH": binary + ":" + os.Getenv("PATH"), "HOME": cache, "XDG_CACHE_HOME": cache,
				"DOCKER_HOST": os.Getenv("DOCKER_HOST"), "ENGINE": os.Getenv("DOCKER_HOST"), "DOCKER_CONFIG": filepath.Join(os.Getenv("HOME"), ".docker"),
				"SOCKET": filepath.Join(cache, "codemode/docker", name, "run/executor.sock"),
			} {
				env.Setenv(key, value)
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status": status, "field": field, "expand": expand, "wheel": wheel, "occupy": occupy,
		},
		Condition: func(name string) (bool, error) {
			if name == "root" {
				return os.Geteuid() == 0, nil
			}
			return false, fmt.Errorf("unknown condition %q", name)
		},
		RequireUniqueNames: true,
	})
}

// wheel makes a wheel of a package with one module: wheel DIR NAME.
func wheel(ts *testscript.TestScript, _ bool, args []string) {
	dir, name := ts.MkAbs(args[0]), args[1]
	ts.Check(os.MkdirAll(dir, 0o755))
	file, err := os.Create(filepath.Join(dir, name+"-1.0-py3-none-any.whl"))
	ts.Check(err)
	archive := zip.NewWriter(file)
	info := name + "-1.0.dist-info/"
	for _, member := range [][2]string{
		{name + ".py", "greeting = 'hello from " + name + "'\n"},
		{info + "METADATA", "Metadata-Version: 2.1\nName: " + name + "\nVersion: 1.0\n"},
		{info + "WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"},
		{info + "RECORD", strings.Join([]string{name + ".py,,", info + "METADATA,,", info + "WHEEL,,", info + "RECORD,,", ""}, "\n")},
	} {
		w, err := archive.Create(member[0])
		ts.Check(err)
		_, err = w.Write([]byte(member[1]))
		ts.Check(err)
	}
	ts.Check(archive.Close())
	ts.Check(file.Close())
}

// occupy listens on a port of this machine until the script ends.
func occupy(ts *testscript.TestScript, _ bool, args []string) {
	listener, err := net.Listen("tcp", "127.0.0.1:"+args[0])
	ts.Check(err)
	ts.Defer(func() { ts.Check(listener.Close()) })
}
