package egress_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/codemode-sdk/codemode/internal/waittest"
	"github.com/codemode-sdk/codemode/sidecar/egress"
)

func TestMain(m *testing.M) {
	// A server of net/http that has been closed keeps a connection for half a second.
	waittest.VerifyMain(m, goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"))
}

// The tests' part of the public internet.
const site = "93.184.216.34"

// A world is a proxy, the names that it can resolve, and one server behind every address.
type world struct {
	t     *testing.T
	proxy *egress.Proxy
	run   *egress.Run
	log   *syncBuffer

	mu     sync.Mutex
	names  map[string][][]string // the answers to one lookup after another
	looked []string
	dialed []string
}

func newWorld(t *testing.T, server string, change func(*egress.Options)) *world {
	w := &world{t: t, log: &syncBuffer{}, names: map[string][][]string{}}
	o := egress.Options{
		Allowed: []string{"example.com", "*.example.org", "other.example:8443"}, Blocked: []string{"secret.example.org"},
		Connections: 8, Bytes: 1 << 20,
		Log: slog.New(slog.NewTextHandler(w.log, nil)), Lookup: w.lookup,
		Dial: func(ctx context.Context, a netip.AddrPort) (net.Conn, error) {
			w.mu.Lock()
			w.dialed = append(w.dialed, a.String())
			w.mu.Unlock()
			var d net.Dialer
			return d.DialContext(ctx, "tcp", server)
		},
	}
	if change != nil {
		change(&o)
	}
	var err error
	if w.proxy, err = egress.New(o); err != nil {
		t.Fatal(err)
	}
	w.run = w.proxy.NewRun()
	w.run.Begin("x1")
	t.Cleanup(func() {
		w.run.Close()
		if err := w.proxy.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *world) lookup(ctx context.Context, name string) ([]netip.Addr, error) {
	if name == "slow.example.org" {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.looked = append(w.looked, name)
	answers := w.names[name]
	if len(answers) == 0 {
		return []netip.Addr{netip.MustParseAddr(site)}, nil
	}
	if len(answers) > 1 {
		w.names[name] = answers[1:]
	}
	var addrs []netip.Addr
	for _, text := range answers[0] {
		addrs = append(addrs, netip.MustParseAddr(text))
	}
	return addrs, nil
}

// pipe gives both ends of a connection.
func pipe(t *testing.T) (ours, theirs net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if ours, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if theirs, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ours.Close() })
	return ours, theirs
}

// connect is what a program's connect to the proxy comes to.
func (w *world) connect() net.Conn {
	w.t.Helper()
	ours, theirs := pipe(w.t)
	if err := w.run.Accept(theirs); err != nil {
		w.t.Fatal(err)
	}
	if err := ours.SetDeadline(time.Now().Add(waittest.Patience)); err != nil {
		w.t.Fatal(err)
	}
	return ours
}

// client is an HTTP client that knows nothing but the proxy.
func (w *world) client() *http.Client {
	transport := &http.Transport{
		Proxy:           http.ProxyURL(&url.URL{Scheme: "http", Host: "proxy:3128"}),
		DialContext:     func(context.Context, string, string) (net.Conn, error) { return w.connect(), nil },
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
	}
	w.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: waittest.Patience}
}

// say sends raw bytes, and the end of the stream unless the answer will be the last, and
// gives all of the answer.
func (w *world) say(text string) string {
	w.t.Helper()
	conn := w.connect()
	defer conn.Close()
	if _, err := io.WriteString(conn, text); err != nil {
		w.t.Fatal(err)
	}
	if !strings.Contains(text, "Connection: close") {
		conn.(*net.TCPConn).CloseWrite()
	}
	answer, err := io.ReadAll(conn)
	if err != nil && !errors.Is(err, net.ErrClosed) && !strings.Contains(err.Error(), "reset") {
		w.t.Fatal(err)
	}
	return string(answer)
}

func (w *world) visited() (looked, dialed []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.looked), slices.Clone(w.dialed)
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// has waits for a line of the log: it is written when a connection ends.
func (s *syncBuffer) has(parts ...string) bool {
	return waittest.Poll(func() bool { return s.hasNow(parts...) })
}

func (s *syncBuffer) hasNow(parts ...string) bool {
	for line := range strings.SplitSeq(s.String(), "\n") {
		if !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(line, part) }) {
			return true
		}
	}
	return false
}

func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	fmt.Fprintf(w, "%s %s host=%s body=%s auth=%q forwarded=%q err=%v", r.Method, r.URL.RequestURI(), r.Host, body,
		r.Header.Get("Proxy-Authorization"), r.Header.Get("X-Forwarded-For"), err)
}

func serve(t *testing.T, handler http.HandlerFunc) string {
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func get(t *testing.T, c *http.Client, address string) (int, string) {
	t.Helper()
	response, err := c.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}
