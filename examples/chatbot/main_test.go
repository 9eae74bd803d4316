package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/sidecar"
)

// The tests' chats share one executor, so that each starts at once.
func TestMain(m *testing.M) {
	code, err := withExecutor(m.Run)
	http.DefaultClient.CloseIdleConnections()
	if err == nil && code == 0 {
		err = goleak.Find()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func withExecutor(tests func() int) (code int, err error) {
	dir, err := os.MkdirTemp("", "chatbot-test-")
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	cfg := config.DefaultSidecar()
	cfg.Limits.CodeTimeout, cfg.Limits.CPUTime, cfg.Pool.QueueTimeout = time.Minute, time.Minute, time.Minute
	executor, err := sidecar.New(context.Background(), cfg, nil)
	if err != nil {
		return 1, err
	}
	socket := filepath.Join(dir, "executor")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return 1, errors.Join(err, executor.Close())
	}
	served := make(chan error, 1)
	go func() { served <- executor.Serve(listener) }()
	os.Setenv("CODEMODE_EXECUTOR_URL", "unix://"+socket)
	code = tests()
	return code, errors.Join(executor.Close(), <-served)
}

// An app is the chat as run serves it.
type app struct {
	t   *testing.T
	url string
}

func start(t *testing.T, set settings) *app {
	t.Helper()
	if set.addr == "" {
		set.addr = "127.0.0.1:0"
	}
	if set.data == "" {
		set.data = t.TempDir()
	}
	set.runTime, set.approval = time.Minute, time.Minute
	ctx, stop := context.WithCancel(context.Background())
	ready, ended := make(chan string, 1), make(chan error, 1)
	go func() { ended <- run(ctx, set, func(url string) { ready <- url }) }()
	select {
	case url := <-ready:
		t.Cleanup(func() {
			stop()
			if err := <-ended; err != nil {
				t.Errorf("the chat ended with %v", err)
			}
		})
		return &app{t, url}
	case err := <-ended:
		stop()
		t.Fatal(err)
		return nil
	}
}

// demoApp is one with the scripted model of the example.
func demoApp(t *testing.T) *app { return start(t, settings{model: "demo"}) }

func (a *app) post(path, body string) *http.Response {
	a.t.Helper()
	response, err := http.Post(a.url+path, "application/json", strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() { response.Body.Close() })
	return response
}

// ask is POST /chat, as curl makes it.
func (a *app) ask(message string) (status int, reply map[string]string) {
	a.t.Helper()
	body, err := json.Marshal(map[string]string{"message": message})
	if err != nil {
		a.t.Fatal(err)
	}
	response := a.post("/chat", string(body))
	if err := json.NewDecoder(response.Body).Decode(&reply); err != nil {
		a.t.Fatal(err)
	}
	return response.StatusCode, reply
}

// A talk is a conversation through /chat/stream.
type talk struct {
	app *app
	id  string
}

// A told is an event as it came over the wire.
type told struct {
	id   int
	kind string
	data map[string]any
}

func (e told) text(name string) string {
	text, _ := e.data[name].(string)
	return text
}

// say sends a message and gives the events of the answer, all of them; each is told as it
// comes too.
func (c *talk) say(message string, each func(told)) ([]told, error) {
	body, err := json.Marshal(map[string]string{"message": message, "conversation": c.id})
	if err != nil {
		return nil, err
	}
	response, err := http.Post(c.app.url+"/chat/stream", "application/json", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(response.Body)
		return nil, fmt.Errorf("%s: %s", response.Status, text)
	}
	c.id = response.Header.Get("Conversation-Id")
	return readEvents(response.Body, each)
}

// readEvents holds a stream to its form: numbers without gaps, and JSON.
func readEvents(body io.Reader, each func(told)) (all []told, err error) {
	everything, err := io.ReadAll(tee(body, func(block string) error {
		var e told
		for line := range strings.Lines(block) {
			name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
			switch name {
			case "id":
				if _, err := fmt.Sscan(value, &e.id); err != nil {
					return err
				}
			case "event":
				e.kind = value
			case "data":
				if err := json.Unmarshal([]byte(value), &e.data); err != nil {
					return err
				}
			}
		}
		if e.kind == "" {
			return nil
		}
		if n := len(all); n > 0 && e.id != all[n-1].id+1 {
			return fmt.Errorf("event %d came after event %d", e.id, all[n-1].id)
		}
		all = append(all, e)
		if each != nil {
			each(e)
		}
		return nil
	}))
	if err == nil && len(everything) == 0 {
		err = io.ErrUnexpectedEOF
	}
	return all, err
}

// tee calls block for each block of a stream when it is whole.
func tee(r io.Reader, block func(string) error) io.Reader {
	return &blocks{r: r, block: block}
}

type blocks struct {
	r     io.Reader
	block func(string) error
	rest  string
}

func (b *blocks) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	b.rest += string(p[:n])
	for {
		one, rest, found := strings.Cut(b.rest, "\n\n")
		if !found {
			return n, err
		}
		b.rest = rest
		if failed := b.block(one); failed != nil {
			return n, failed
		}
	}
}

// mustSay is say where nothing may go wrong with the stream.
func (c *talk) mustSay(message string, each func(told)) []told {
	c.app.t.Helper()
	events, err := c.say(message, each)
	if err != nil {
		c.app.t.Fatalf("%q: %v", message, err)
	}
	if last := events[len(events)-1]; last.kind != eventDone {
		c.app.t.Fatalf("%q: the last event is %s", message, last.kind)
	}
	return events
}

// only gives the events of one kind.
func only(events []told, kind string) (found []told) {
	for _, e := range events {
		if e.kind == kind {
			found = append(found, e)
		}
	}
	return found
}

// joined is the texts of the events of one kind.
func joined(events []told, kind string) string {
	var b strings.Builder
	for _, e := range only(events, kind) {
		b.WriteString(e.text("text"))
	}
	return b.String()
}
