//go:build linux

package sidecar_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/executorclient"
	"github.com/codemode-sdk/codemode/internal/certtest"
	"github.com/codemode-sdk/codemode/registry"
	"github.com/codemode-sdk/codemode/sidecar"
)

// A listener keeps what an executor tells.
type listener struct {
	mu      sync.Mutex
	records []sidecar.Record
	calls   []string
}

func (l *listener) ToolCalled(tool, outcome string, _ time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls = append(l.calls, tool+" "+outcome)
}

func (l *listener) Executed(r *sidecar.Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.records = append(l.records, *r)
}

// listenedTo is an executor whose records and log are kept; over ends it and gives them.
func listenedTo(t *testing.T, change func(*config.SidecarConfig)) (e *executor, over func() (*listener, string)) {
	t.Helper()
	cfg := patient()
	change(&cfg)
	var log bytes.Buffer
	// Higher than what audit records have, which are written all the same.
	logger := slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelError}))
	server, err := sidecar.New(t.Context(), atHome(cfg), logger)
	if err != nil {
		t.Fatal(err)
	}
	heard := &listener{}
	server.Observe(heard)
	client, err := executorclient.Dial(executorclient.Options{Dialer: server.Dial})
	if err != nil {
		t.Fatal(err)
	}
	e = &executor{Client: client, server: server}
	closing := sync.OnceValue(e.close)
	t.Cleanup(func() { _ = closing() }) // reported below
	return e, func() (*listener, string) {
		if err := closing(); err != nil {
			t.Error(err)
		}
		return heard, log.String()
	}
}

func someTools() *registry.Registry {
	reg := registry.New()
	registry.Func(reg, "add", "", func(_ context.Context, in struct{ A, B int }) (int, error) { return in.A + in.B, nil })
	registry.Func(reg, "fail", "", func(context.Context, struct{}) (int, error) { return 0, errors.New("no") })
	return reg
}

// Who is asked what ran finds each execution with its end and its tools, and in no place
// what the tools were given.
func TestEveryExecutionLeavesOneRecord(t *testing.T) {
	besideOthers(t)
	e, over := listenedTo(t, func(c *config.SidecarConfig) { c.Audit = config.AuditOn; c.Limits.MaxCodeLength = 500 })
	tools := withTools(someTools())
	e.run(t, `[tools.add(1, 7700), tools.add(3, 4)]`, tools, func(r *executorclient.Request) { r.ExecutionID = "first" })
	e.run(t, `
try:
    tools.fail()
except ToolError:
    pass
raise KeyError("s3cret")`, tools)
	e.run(t, `while True: pass`, withLimits(executorclient.Limits{Timeout: 200 * time.Millisecond}))
	_, err := e.Execute(t.Context(), executorclient.Request{Code: strings.Repeat("#", 501)})
	if err == nil {
		t.Fatal("too long a program was run")
	}
	heard, log := over()
	slices.SortFunc(heard.records, func(a, b sidecar.Record) int { return a.Received.Compare(b.Received) })
	ignore := cmpopts.IgnoreFields(sidecar.Record{}, "ExecutionID", "Code", "Received", "Queued", "Wall", "CPU", "MaxRSSBytes")
	want := []sidecar.Record{
		{Status: "ok", Tools: []sidecar.ToolUse{{Tool: "add", Calls: 2}}},
		{Status: "error", ErrorType: "KeyError", Tools: []sidecar.ToolUse{{Tool: "fail", Calls: 1, Failed: 1}}},
		{Status: "timeout", ErrorType: "Timeout"},
		{Status: "rejected", Reason: sidecar.RefusedInvalid},
	}
	if diff := cmp.Diff(want, heard.records, ignore, cmpopts.IgnoreFields(sidecar.ToolUse{}, "Time")); diff != "" {
		t.Fatalf("records (-want +got):\n%s", diff)
	}
	if first := heard.records[0]; first.ExecutionID != "first" || first.Wall <= 0 || first.MaxRSSBytes <= 0 || first.Tools[0].Time <= 0 {
		t.Errorf("the first record lacks what was measured: %+v", first)
	}
	if diff := cmp.Diff([]string{"add ok", "add ok", "fail failed"}, heard.calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	lines := strings.Split(strings.TrimSpace(log), "\n")
	if len(lines) != len(want) {
		t.Fatalf("%d audit lines:\n%s", len(lines), log)
	}
	slices.SortFunc(lines, func(a, b string) int { return strings.Index(b, `"first"`) - strings.Index(a, `"first"`) })
	var line struct {
		Msg, Execution, Status string
		Sha                    string `json:"code_sha256"`
		Tools                  map[string]struct{ Calls int }
	}
	if err := json.Unmarshal([]byte(lines[0]), &line); err != nil {
		t.Fatal(err)
	}
	// printf '%s' '[tools.add(1, 7700), tools.add(3, 4)]' | sha256sum
	const sum = "47041731a962233ce41cd289efc235eda1b4da48a53b1636f72470699612541e"
	if line.Msg != "audit" || line.Execution != "first" || line.Status != "ok" || line.Tools["add"].Calls != 2 || line.Sha != sum {
		t.Errorf("audit line: %s", lines[0])
	}
	for _, private := range []string{"7700", "s3cret", "tools.add("} {
		if strings.Contains(log, private) {
			t.Errorf("the log tells %q:\n%s", private, log)
		}
	}
}

// A program that writes to its control socket itself cannot fill records, or metrics,
// with names of its own.
func TestNamesThatAProgramMakesUpAreNotTold(t *testing.T) {
	besideOthers(t)
	e, over := listenedTo(t, func(c *config.SidecarConfig) { c.Audit = config.AuditWithCode })
	got := e.run(t, `
import os, struct
for i in range(3):
    name = b"made-up-%d" % i
    call = struct.pack("<H", len(name)) + name + b"{}"
    os.write(3, struct.pack("<IBI", len(call), 3, 1000 + i) + call)
"done"`, withTools(someTools()))
	if got.Status != executorclient.OK {
		t.Fatal(got.Text())
	}
	heard, log := over()
	want := []sidecar.ToolUse{{Tool: sidecar.UnknownTool, Calls: 3}}
	if diff := cmp.Diff(want, heard.records[0].Tools, cmpopts.IgnoreFields(sidecar.ToolUse{}, "Time", "Failed", "Unanswered")); diff != "" {
		t.Errorf("tools (-want +got):\n%s", diff)
	}
	if !strings.Contains(log, "made-up-%d") {
		t.Errorf("asked for, the program is not in the audit: %s", log)
	}
}

// Where callers are known by their certificates alone, records name them; their log lines
// cannot be forged by what a name holds.
func TestACallerWithoutAKeyIsNamedByItsCertificate(t *testing.T) {
	besideOthers(t)
	dir := t.TempDir()
	authority := certtest.NewAuthority(t)
	ca := authority.Write(t, dir, "ca.crt")
	cert, key := authority.Issue(t, dir, "server", certtest.Leaf{Hosts: []string{"127.0.0.1"}})
	e, over := listenedTo(t, func(c *config.SidecarConfig) {
		c.TLS = config.ServerTLS{Enabled: true, CertFile: cert, KeyFile: key, CAFile: ca, ClientAuth: config.ClientAuthRequire}
		c.Audit = config.AuditOn
	})
	address := "https://" + listen(t, e)
	for _, name := range []string{"billing", "search"} {
		cert, key := authority.Issue(t, dir, name, certtest.Leaf{})
		if err := runs(t, executorclient.Options{Address: address, TLS: &executorclient.TLS{CAFile: ca, CertFile: cert, KeyFile: key}}); err != nil {
			t.Fatal(err)
		}
	}
	heard, log := over()
	var got []string
	for _, record := range heard.records {
		got = append(got, record.Caller)
	}
	slices.Sort(got)
	if diff := cmp.Diff([]string{"certificate:billing", "certificate:search"}, got); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(log, `"caller":"certificate:billing"`) {
		t.Errorf("the audit: %s", log)
	}
}
