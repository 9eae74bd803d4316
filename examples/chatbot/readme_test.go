package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/codemode-sdk/codemode/internal/scriptedmodel"
)

// newcomer builds the chat, and gives what runs a README's line with it in an empty
// directory: nothing is set but what the line and env set, and the executor is the one in
// the binary.
func newcomer(t *testing.T) func(line string, env ...string) *exec.Cmd {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "chatbot")
	if out, err := exec.Command("go", "build", "-ldflags=-w", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return func(line string, env ...string) *exec.Cmd {
		command := exec.Command("sh", "-c", strings.Replace(line, "go run ./examples/chatbot", "exec "+binary, 1))
		command.Dir = t.TempDir()
		command.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "CHATBOT_ADDR=127.0.0.1:0"}, env...)
		return command
	}
}

// serves starts a command that serves the chat, and gives its address.
func serves(t *testing.T, command *exec.Cmd) string {
	t.Helper()
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var failure strings.Builder
	command.Stderr = &failure
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Signal(os.Interrupt) // where it has ended, Wait says so
		_, _ = io.Copy(io.Discard, output)       // to its end, which Wait closes
		if err := command.Wait(); err != nil {
			t.Errorf("after ctrl-c: %v\n%s", err, failure.String())
		}
	})
	line, err := bufio.NewReader(output).ReadString('\n')
	url := regexp.MustCompile(`http://\S+`).FindString(line)
	if url == "" {
		t.Fatalf("%s printed %q (%v)", command, line, err)
	}
	return url
}

// A newcomer types what the README says, line after line.
func TestREADMECommandsWork(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the chat")
	}
	installed(t, "curl")
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	model := scriptedmodel.Start(t, scriptedmodel.Turn{Content: "A model."})
	var run func(line string, env ...string) *exec.Cmd
	say := func(line, url string) string {
		out, err := run(strings.ReplaceAll(line, "http://localhost:8000", url)).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v", line, err)
		}
		return string(out)
	}
	const (
		demo  = "go run ./examples/chatbot"
		key   = "OPENAI_API_KEY=... OPENAI_MODEL=gpt-4o-mini go run ./examples/chatbot"
		ask   = `curl -X POST http://localhost:8000/chat -d '{"message": "Get weather for NYC and save to database"}'`
		saved = `{"result":"New York: 18.5 °C, partly cloudy. Saved as row 1."}`
	)
	run = newcomer(t)
	url := serves(t, run(demo))
	tried := map[string]func(){
		demo: func() {},
		key: func() {
			if got := say(ask, serves(t, run(key, "OPENAI_BASE_URL="+model.URL))); !strings.Contains(got, `{"result":"A model."}`) {
				t.Errorf("with a model it answers %s", got)
			}
			if asked := model.Requests()[0]; asked.Model != "gpt-4o-mini" || asked.Authorization != "Bearer ..." {
				t.Errorf("the endpoint was asked for %q with %q", asked.Model, asked.Authorization)
			}
		},
		ask: func() {
			if got := say(ask, url); !strings.Contains(got, saved) {
				t.Errorf("it answers %s, want %s", got, saved)
			}
		},
	}
	for _, block := range regexp.MustCompile("(?ms)^```sh\n(.*?)^```").FindAllStringSubmatch(string(readme), -1) {
		line := strings.TrimSpace(block[1])
		if tried[line] == nil {
			t.Errorf("no test runs the README's line %q", line)
			continue
		}
		tried[line]()
		delete(tried, line)
	}
	if len(tried) > 0 {
		t.Error(fmt.Sprint("the README has no more ", tried))
	}
}
