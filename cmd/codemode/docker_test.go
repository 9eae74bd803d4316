package main

import (
	"archive/zip"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/codemode-sdk/codemode/internal/porttest"
	"github.com/codemode-sdk/codemode/internal/waittest"
)

// dockerImage gives an image with a Python that has numpy, pandas and venv, or skips: in
// CI both the engine and the image are there.
func dockerImage(t *testing.T) string {
	t.Helper()
	image := cmp.Or(os.Getenv("CODEMODE_TEST_IMAGE"), "codemode-test-base:latest")
	ctx, cancel := context.WithTimeout(t.Context(), waittest.Patience)
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

// golang is what .ci/base-image makes in place of the official image.
const golang = "codemode-test-golang:latest"

// staticBinaries builds codemode as go install does where there is no C compiler, and
// examples/chatbot, the guide's application.
func staticBinaries(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-ldflags=-s -w", "-o", dir, ".", "../../examples/chatbot")
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
	image, binary := dockerImage(t), staticBinaries(t)
	repository, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	sweepDeadTests(t)
	// Once, and not in each of the scripts at the same time.
	if out, err := exec.CommandContext(t.Context(), filepath.Join(binary, "codemode"), "docker", "build", "--base", image).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/docker",
		Setup: func(env *testscript.Env) error {
			// Short, because a socket's path is.
			cache, err := os.MkdirTemp("", "cm")
			if err != nil {
				return err
			}
			port, err := porttest.Free()
			if err != nil {
				return err
			}
			name := fmt.Sprintf("cm-%d-%d", os.Getpid(), port)
			env.Defer(func() {
				sweepDocker(t, name)
				_ = exec.Command("docker", "rmi", name+"-app", name+"-executor").Run() // most scripts make none
				if err := os.RemoveAll(cache); err != nil {
					t.Error(err)
				}
			})
			for key, value := range map[string]string{
				"BASE": image, "NAME": name, "PORT": strconv.Itoa(port), "BINARY": filepath.Join(binary, "codemode"),
				"PATH": binary + ":" + os.Getenv("PATH"), "HOME": cache, "XDG_CACHE_HOME": cache,
				"REPOSITORY": repository, "GOLANG": golang,
				"DOCKER_HOST": os.Getenv("DOCKER_HOST"), "ENGINE": os.Getenv("DOCKER_HOST"), "DOCKER_CONFIG": filepath.Join(os.Getenv("HOME"), ".docker"),
				"SOCKET": filepath.Join(cache, "codemode/docker", name, "run/executor.sock"),
			} {
				env.Setenv(key, value)
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status": status, "field": field, "expand": expand, "wheel": wheel, "occupy": occupy, "chat": chat, "answers": answers,
		},
		Condition: func(name string) (bool, error) {
			switch name {
			case "root":
				return os.Geteuid() == 0, nil
			case "compose":
				_, err := exec.LookPath("docker-compose")
				return err == nil || os.Getenv("CI") == "true", nil
			case "golang":
				return os.Getenv("CI") == "true" || exec.Command("docker", "image", "inspect", golang).Run() == nil, nil
			}
			return false, fmt.Errorf("unknown condition %q", name)
		},
		RequireUniqueNames: true,
	})
}

// sweepDocker removes what a script has left, whether or not it came to its end: all
// containers, networks and volumes whose names begin with its own.
func sweepDocker(t *testing.T, name string) {
	t.Helper()
	for _, kind := range []string{"container", "network", "volume"} {
		ids := dockerList(t, kind, "^"+name, "--quiet")
		if len(ids) == 0 {
			continue
		}
		remove := []string{kind, "rm"}
		if kind == "container" {
			remove = append(remove, "--force", "--volumes")
		}
		if out, err := exec.Command("docker", append(remove, ids...)...).CombinedOutput(); err != nil {
			t.Errorf("left in Docker by %s: %v %s", name, err, out)
		}
	}
}

// sweepDeadTests removes what tests that were killed have left.
func sweepDeadTests(t *testing.T) {
	t.Helper()
	for kind, format := range map[string]string{"container": "{{.Names}}", "network": "{{.Name}}", "volume": "{{.Name}}"} {
		for _, name := range dockerList(t, kind, "^cm-[0-9]+-", "--format", format) {
			pid := strings.Split(name, "-")[1]
			if _, err := os.Stat("/proc/" + pid); errors.Is(err, os.ErrNotExist) {
				sweepDocker(t, "cm-"+pid+"-")
			}
		}
	}
}

// dockerList lists containers that run or do not, networks, or volumes.
func dockerList(t *testing.T, kind, name string, flags ...string) []string {
	t.Helper()
	list := append([]string{kind, "ls", "--filter", "name=" + name}, flags...)
	if kind == "container" {
		list = append(list, "--all")
	}
	out, err := exec.Command("docker", list...).Output()
	if err != nil {
		t.Errorf("docker %s ls: %v", kind, err)
	}
	return strings.Fields(string(out))
}

// What the deployment guide tells its reader to type names commands, flags and files that
// are there; TestDocker types the commands themselves.
func TestTheDeploymentGuideNamesWhatThereIs(t *testing.T) {
	guide, err := os.ReadFile("../../docs/deployment.md")
	if err != nil {
		t.Fatal(err)
	}
	lines := 0
	for _, block := range regexp.MustCompile("(?ms)^```sh\n(.*?)^```").FindAllSubmatch(guide, -1) {
		for line := range strings.Lines(string(block[1])) {
			lines++
			words := strings.Fields(line)
			for i, word := range words {
				if i > 0 && words[i-1] == "-f" {
					if _, err := os.Stat(filepath.Join("../..", word)); err != nil {
						t.Errorf("%s%v", line, err)
					}
				}
			}
			if words[0] != "codemode" {
				continue
			}
			c, rest, err := findCommand(words[1:])
			if err != nil {
				t.Errorf("%s%v", line, err)
				continue
			}
			flags := newFlagSet(c)
			c.prepare(flags, stdio{})
			if _, err := flags.parse(rest); err != nil {
				t.Errorf("%s%v", line, err)
			}
		}
	}
	if lines < 10 {
		t.Errorf("only %d lines to type", lines)
	}
}

// The image that deploy/docker makes from source is the one that docker build makes: what
// follows the packages is the same but for where codemode comes from.
func TestBothDockerfilesMakeTheSameImage(t *testing.T) {
	last := func(path string) string {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		_, stage, found := strings.Cut(string(text), "\nFROM ${BASE_IMAGE}\n")
		if !found {
			t.Fatalf("%s has no last stage", path)
		}
		return stage
	}
	own := last("../../internal/docker/Dockerfile")
	source := last("../../deploy/docker/Dockerfile")
	if source != strings.Replace(own, "COPY codemode ", "COPY --from=build /codemode ", 1) {
		t.Errorf("from source:\n%s\nfrom the command:\n%s", source, own)
	}
}

// wheel makes a wheel of a package with one module, which no other script's image has:
// wheel DIR NAME.
func wheel(ts *testscript.TestScript, _ bool, args []string) {
	dir, name := ts.MkAbs(args[0]), args[1]
	ts.Check(os.MkdirAll(dir, 0o755))
	file, err := os.Create(filepath.Join(dir, name+"-1.0-py3-none-any.whl"))
	ts.Check(err)
	archive := zip.NewWriter(file)
	info := name + "-1.0.dist-info/"
	for _, member := range [][2]string{
		{name + ".py", "greeting = 'hello from " + name + "' # in " + ts.Getenv("NAME") + "\n"},
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

// answers runs a command until it succeeds: an executor takes a moment to be there.
func answers(ts *testscript.TestScript, _ bool, args []string) {
	within(ts, "no success of "+strings.Join(args, " "), func() bool { return ts.Exec(args[0], args[1:]...) == nil })
}

// chat posts a message until the answer matches a pattern: chat URL MESSAGE PATTERN.
func chat(ts *testscript.TestScript, _ bool, args []string) {
	var answer string
	want := regexp.MustCompile(args[2])
	for deadline := time.Now().Add(waittest.Patience); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		response, err := http.Post(args[0], "application/json", strings.NewReader(args[1]))
		if err != nil {
			answer = err.Error()
			continue
		}
		text, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
		ts.Check(errors.Join(err, response.Body.Close()))
		if answer = string(text); want.MatchString(answer) {
			return
		}
	}
	ts.Fatalf("the last answer: %s", answer)
}

// occupy listens on a port of this machine until the script ends.
func occupy(ts *testscript.TestScript, _ bool, args []string) {
	listener, err := net.Listen("tcp", "127.0.0.1:"+args[0])
	ts.Check(err)
	ts.Defer(func() { ts.Check(listener.Close()) })
}
