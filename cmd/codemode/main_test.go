package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/codemode-sdk/codemode/internal/porttest"
	"github.com/codemode-sdk/codemode/internal/waittest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"codemode": main, "notes-server": notesServer, "mcp-client": mcpClient})
}

// TestScripts holds the command line to what its users see of it. The scripts run the
// real thing: this binary, real executors, real sandboxes.
func TestScripts(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the embedded executor needs Linux")
	}
	lists, err := filepath.Abs("testdata/lists")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			binary, err := exec.LookPath("codemode")
			if err != nil {
				return err
			}
			env.Setenv("BINARY", binary)
			env.Setenv("LISTS", lists)
			env.Setenv("MCP_PACKAGES", os.Getenv("MCP_PACKAGES"))
			env.Setenv("MARK", fmt.Sprintf("cm-%d", time.Now().UnixNano()%1e9))
			for _, name := range []string{"PORT", "HTTP"} {
				port, err := porttest.Free()
				if err != nil {
					return err
				}
				env.Setenv(name, strconv.Itoa(port))
			}
			// HOME is not that of the user in a script, nor the user in a namespace.
			cache, err := cacheDir()
			env.Setenv("CODEMODE_CACHE_DIR", cache)
			return err
		},
		Condition: func(name string) (bool, error) {
			if name == "weaken" {
				return exec.Command(weaker[0], append(slices.Clone(weaker[1:]), "true")...).Run() == nil, nil
			}
			if name == "mcp_packages" {
				if os.Getenv("MCP_PACKAGES") == "" && os.Getenv("CI") == "true" {
					return false, errors.New("MCP_PACKAGES is not set, and .ci/run sets it")
				}
				return os.Getenv("MCP_PACKAGES") != "", nil
			}
			if name == "ci" {
				return os.Getenv("CI") == "true", nil
			}
			return false, fmt.Errorf("unknown condition %q", name)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status": status, "field": field, "expand": expand, "listening": listening,
			"running": running, "gone": gone, "fetch": fetch, "metrics": exposition, "logged": logged,
		},
		RequireUniqueNames: true,
	})
}

func cacheDir() (string, error) {
	if dir := os.Getenv("CODEMODE_CACHE_DIR"); dir != "" {
		return dir, nil
	}
	if os.Geteuid() == 0 {
		return "/var/cache/codemode", nil
	}
	dir, err := os.UserCacheDir()
	return filepath.Join(dir, "codemode"), err
}

// weaker starts a shell command where no namespaces are to be had.
var weaker = []string{"unshare", "--user", "--map-user=65534", "--map-group=65534", "--keep-caps", "sh", "-c",
	`echo 0 >/proc/sys/user/max_user_namespaces && eval "$0"`}

// status runs a command that must end with the given exit status: status 2 codemode ...
// With the word weaken, it is a shell command to run where there are no namespaces.
func status(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if args = args[1:]; args[0] == "weaken" {
		args = append(slices.Clone(weaker), args[1:]...)
	}
	err = ts.Exec(args[0], args[1:]...)
	got := 0
	if ended, ok := errors.AsType[*exec.ExitError](err); ok {
		got = ended.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// field checks one value of a JSON object: field stdout error.line 3. A value in slashes
// is a pattern, and <N a bound.
func field(ts *testscript.TestScript, neg bool, args []string) {
	decoder := json.NewDecoder(strings.NewReader(ts.ReadFile(args[0])))
	var value any
	ts.Check(decoder.Decode(&value))
	if decoder.More() {
		ts.Fatalf("more than one JSON value in %s", args[0])
	}
	for name := range strings.SplitSeq(args[1], ".") {
		switch parent := value.(type) {
		case map[string]any:
			value = parent[name]
		case []any:
			i, err := strconv.Atoi(name)
			ts.Check(err)
			if i >= len(parent) {
				ts.Fatalf("%s: only %d elements", args[1], len(parent))
			}
			value = parent[i]
		default:
			ts.Fatalf("%s: nothing below %v", args[1], value)
		}
	}
	text, ok := value.(string)
	if !ok {
		encoded, err := json.Marshal(value)
		ts.Check(err)
		text = string(encoded)
	}
	want := args[2]
	matches := text == want
	if bound, ok := strings.CutPrefix(want, "<"); ok {
		number, err := strconv.ParseFloat(text, 64)
		ts.Check(err)
		most, err := strconv.ParseFloat(bound, 64)
		ts.Check(err)
		matches = number < most
	} else if len(want) > 1 && want[0] == '/' && want[len(want)-1] == '/' {
		matches = regexp.MustCompile("(?s)" + want[1:len(want)-1]).MatchString(text)
	}
	if matches == neg {
		ts.Fatalf("%s is %s", args[1], text)
	}
}

// expand replaces $NAME in files.
func expand(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		text := os.Expand(ts.ReadFile(name), ts.Getenv)
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o600))
	}
}

// listening waits until somebody accepts connections.
func listening(ts *testscript.TestScript, _ bool, args []string) {
	within(ts, "nobody listens on "+args[1], func() bool {
		conn, err := net.Dial(args[0], args[1])
		return err == nil && conn.Close() == nil
	})
}

// running waits until a process, or a thread of one, has taken the name.
func running(ts *testscript.TestScript, _ bool, args []string) {
	within(ts, "no process "+args[0], func() bool { return len(named(args[0])) > 0 })
}

// gone checks that no process has the name, or soon will no longer.
func gone(ts *testscript.TestScript, _ bool, args []string) {
	within(ts, "there is still a process "+args[0], func() bool { return len(named(args[0])) == 0 })
}

func named(name string) []string {
	var found []string
	files, _ := filepath.Glob("/proc/[0-9]*/task/[0-9]*/comm") // the pattern is well-formed
	for _, file := range files {
		comm, err := os.ReadFile(file)
		if err == nil && string(bytes.TrimSpace(comm)) == name {
			found = append(found, file)
		}
	}
	return found
}

func within(ts *testscript.TestScript, complaint string, done func() bool) {
	if !waittest.Poll(done) {
		ts.Fatalf("after %s: %s", waittest.Patience, complaint)
	}
}
