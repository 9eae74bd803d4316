//go:build linux

package sidecar_test

import (
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/executorclient"
	"github.com/codemode-sdk/codemode/sidecar"
)

// The log tells an operator who went where.
func TestEachConnectionIsLogged(t *testing.T) {
	besideOthers(t)
	s := newSite(t)
	log := &lines{}
	cfg := patient()
	cfg.Network = config.Network{Mode: config.NetworkRestricted, AllowedDomains: []string{s.http}, AllowPrivate: true, Connections: 8, Bytes: 1 << 20}
	if python := os.Getenv(pythonVariable); python != "" {
		cfg.Python = python
	}
	server, err := sidecar.New(t.Context(), cfg, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	client, err := executorclient.Dial(executorclient.Options{Dialer: server.Dial})
	if err != nil {
		t.Fatal(err)
	}
	e := &executor{client, server, nil}
	first := e.run(t, s.head()+"urllib.request.urlopen(f'http://{HTTP}/', data=b'12345', timeout=120).status")
	second := e.run(t, s.head()+"[attempt(urllib.request.urlopen, 'http://example.com/', timeout=120), attempt(socket.create_connection, ('8.8.8.8', 53))]")
	if err := e.close(); err != nil {
		t.Fatal(err)
	}
	for _, want := range [][]string{
		{"execution=" + first.ExecutionID, "target=" + s.http, "address=127.0.0.1", "verdict=allowed", "method=POST"},
		{"execution=" + second.ExecutionID, "target=example.com:80", "verdict=not_allowed"},
		{"execution=" + second.ExecutionID, "target=8.8.8.8:53", "verdict=bypass"},
	} {
		if !log.has(want...) {
			t.Errorf("no line with %q in\n%s", want, log)
		}
	}
}

type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *lines) has(parts ...string) bool {
	for line := range strings.SplitSeq(l.String(), "\n") {
		if !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(line, part) }) {
			return true
		}
	}
	return false
}

// The mode is in force and says so; nothing else got weaker.
func TestRestrictedModeIsReported(t *testing.T) {
	besideOthers(t)
	s := newSite(t)
	var detail string
	layers := func(e *executor) (names []string) {
		for _, layer := range e.server.Layers() {
			if layer.InForce {
				names = append(names, layer.Name)
				detail += layer.Detail
			}
		}
		return names
	}
	none := layers(shared(t))
	if strings.Contains(detail, "proxy") {
		t.Errorf("without a proxy: %s", detail)
	}
	if with := layers(restricted(t, s)); !slices.Equal(with, none) {
		t.Errorf("layers %q, without a proxy %q", with, none)
	}
	if !strings.Contains(detail, "proxy") {
		t.Errorf("%s", detail)
	}
}

// All that a program leaves behind at the proxy goes with its worker.
func TestNothingOfTheProxyIsLeft(t *testing.T) {
	s := newSite(t)
	e := restricted(t, s)
	count := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	for range 3 {
		e.run(t, "1")
	}
	e.rest(t, patient().Pool.MinReady)
	before := count()
	for i := range 24 {
		e.run(t, s.head()+[]string{
			"urllib.request.urlopen(f'http://{HTTP}/').read(); 1",
			"x = [socket.socket() for _ in range(10)]; os._exit(0)",
			"s = socket.create_connection(('127.0.0.1', 3128)); s.send(f'CONNECT {HTTP} HTTP/1.1\\r\\n\\r\\n'.encode()); s.recv(12); os.abort()",
		}[i%3])
	}
	waitFor(t, func() bool { return count() <= before+12 })
}
