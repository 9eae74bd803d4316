package codemode_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/registry"
)

// blocks gives the fenced blocks of one language in a Markdown file.
func blocks(t *testing.T, path, language string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, match := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```").FindAllStringSubmatch(string(text), -1) {
		found = append(found, match[1])
	}
	if len(found) == 0 {
		t.Fatalf("%s has no %s block", path, language)
	}
	return found
}

// shell runs a line as a reader would type it, in dir, with what is in it in PATH.
func shell(t *testing.T, dir, line string, env ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", line)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), "CGO_ENABLED=0", "PATH="+dir+":"+os.Getenv("PATH")), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", line, err, out)
	}
	return string(out)
}

var (
	commandOnce sync.Once
	command     []byte
)

// builtCommand has a line that builds the command put it into dir. It is built once for all
// tests, and without what only debuggers read.
func builtCommand(t *testing.T, line, dir string) {
	t.Helper()
	path := filepath.Join(dir, "codemode")
	commandOnce.Do(func() {
		shell(t, ".", strings.Replace(line, "go build", "go build -ldflags=-w -o "+dir, 1))
		var err error
		if command, err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	})
	if err := os.WriteFile(path, command, 0o755); err != nil {
		t.Fatal(err)
	}
}

// A newcomer types what the README says, line after line.
func TestREADMECommandsWork(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the examples and the command")
	}
	t.Parallel()
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	bin, port := t.TempDir(), strconv.Itoa(freePort(t))
	run := map[string]func(line string){
		"go run ./examples/quickstart": func(line string) {
			if out := shell(t, root, line); !strings.Contains(out, "isolated by") {
				t.Errorf("%s printed\n%s", line, out)
			}
		},
		// The chat's own README has the same line, and its test runs it.
		"go run ./examples/chatbot": func(line string) {
			if own := blocks(t, "examples/chatbot/README.md", "sh"); !slices.Contains(own, line+"\n") {
				t.Errorf("the chat's README does not say %q but %q", line, own)
			}
		},
		// This very run. .ci/run and make test call the same.
		"go test ./...": func(line string) {
			makefile, err := os.ReadFile("Makefile")
			if err != nil || !strings.Contains(string(makefile), "\t"+line+"\n") {
				t.Errorf("make test does not run %q (%v)", line, err)
			}
		},
		"CGO_ENABLED=0 go build ./cmd/codemode": func(line string) {
			builtCommand(t, line, bin)
		},
		`echo 'print("hi"); 1+1' | ./codemode exec --json -`: func(line string) {
			out := shell(t, bin, line)
			for _, want := range []string{`"status":"ok"`, `"result":2`, `"stdout":"hi\n"`} {
				if !strings.Contains(strings.ReplaceAll(out, ": ", ":"), want) {
					t.Errorf("%s lacks %s:\n%s", line, want, out)
				}
			}
		},
		"./codemode doctor": func(line string) { shell(t, bin, line) },
		"CODEMODE_API_KEY=change-me codemode serve --port 8001": func(line string) {
			// On a port of its own, and for as long as the application's line takes.
			serve := exec.Command("sh", "-c", "exec env "+strings.Replace(line, "8001", port, 1))
			serve.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
			if err := serve.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := errors.Join(serve.Process.Signal(os.Interrupt), serve.Wait()); err != nil {
					t.Error(err)
				}
			})
		},
		"CODEMODE_EXECUTOR_URL=http://localhost:8001 CODEMODE_EXECUTOR_API_KEY=change-me ./your-app": func(line string) {
			if err := os.Symlink(filepath.Join(bin, "codemode"), filepath.Join(bin, "your-app")); err != nil {
				t.Fatal(err)
			}
			line = strings.Replace(line, "8001", port, 1)
			shell(t, bin, "for i in $(seq 600); do echo 1+1 | "+line+" exec - && exit; sleep 0.2; done; exit 1")
		},
	}
	for _, block := range blocks(t, "README.md", "sh") {
		for line := range strings.Lines(block) {
			line = strings.TrimSpace(line)
			if run[line] == nil {
				t.Errorf("no test runs the README's line %q", line)
				continue
			}
			run[line](line)
		}
	}
}

const snippetHead = `package main

import (
	"context"
	"fmt"
	"os"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/registry"
	_ "github.com/codemode-sdk/codemode/sidecar/embeddedpython"
)

type Order struct {
	Total float64 ` + "`json:\"total\"`" + `
}

type orders map[string][]Order

func (o orders) Orders(_ context.Context, customer string) ([]Order, error) { return o[customer], nil }

var db = orders{"ada": {{100}, {20}}, "alan": {{87.5}}, "grace": {{300}, {1}}}

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
`

// The README's first example is a program that prints what its last comment says.
func TestREADMEExampleWorks(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program")
	}
	t.Parallel()
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	snippet := blocks(t, "README.md", "go")[0]
	_, want, found := strings.Cut(snippet, "fmt.Println(result.Value) // ")
	if !found {
		t.Fatal("the example does not end by printing its result")
	}
	path := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(path, []byte(snippetHead+snippet+"\treturn err\n}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := shell(t, root, "go run "+path); got != want {
		t.Errorf("it printed %q, the comment says %q", got, want)
	}
}

// The README's Python is a program that runs.
func TestREADMEProgramWorks(t *testing.T) {
	reg := registry.New()
	type city struct {
		City string `json:"city"`
	}
	type issue struct {
		Owner  string `json:"owner"`
		Repo   string `json:"repo"`
		Number int    `json:"number"`
	}
	err := errors.Join(
		registry.Func(reg, "weather", "", func(_ context.Context, in city) (string, error) { return "sunny in " + in.City, nil }),
		registry.Func(reg, "github.get_issue", "", func(_ context.Context, in issue) (issue, error) { return in, nil }),
		registry.Func(reg, "flaky", "", func(context.Context, struct{}) (string, error) { return "", errors.New("out of order") }),
	)
	if err != nil {
		t.Fatal(err)
	}
	cm, err := codemode.New(inMode(codemode.Options{Registry: reg}))
	if err != nil {
		t.Fatal(err)
	}
	defer cm.Close()
	program := "import asyncio\n" + blocks(t, "README.md", "python")[0] + "\n[weather, issue, a, b]"
	result, err := cm.Execute(t.Context(), program)
	if err != nil || result.Status != codemode.StatusOK {
		t.Fatalf("%v %s", err, result.Text())
	}
	if want := "flaky failed out of order\n"; result.Stdout != want {
		t.Errorf("stdout %q, want %q", result.Stdout, want)
	}
}
