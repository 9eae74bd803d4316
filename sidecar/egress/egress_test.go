package egress_test

import (
	"bufio"
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

	"github.com/codemode-sdk/codemode/sidecar/egress"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

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
	if err := ours.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
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
	return &http.Client{Transport: transport, Timeout: 10 * time.Second}
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
	for range 200 {
		for line := range strings.SplitSeq(s.String(), "\n") {
			if !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(line, part) }) {
				return true
			}
		}
		time.Sleep(10 * time.Millisecond)
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

func TestAnAllowedHostIsReachedByHTTP(t *testing.T) {
	w := newWorld(t, serve(t, echo), nil)
	request, err := http.NewRequest(http.MethodPost, "http://EXAMPLE.com./a%2fb?q=1;x=%zz", strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Proxy-Authorization", "Basic x")
	response, err := w.client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if want := `POST /a%2fb?q=1;x=%zz host=example.com body=hello auth="" forwarded="" err=<nil>`; string(body) != want {
		t.Errorf("%s, want %s", body, want)
	}
	if _, dialed := w.visited(); !slices.Equal(dialed, []string{site + ":80"}) {
		t.Errorf("dialed %q", dialed)
	}
	if !w.log.has("execution=x1", "target=example.com:80", "address="+site, "verdict=allowed", "method=POST") {
		t.Errorf("the log has no such line:\n%s", w.log)
	}
}

func TestAnAllowedHostIsReachedByHTTPS(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(echo))
	defer s.Close()
	w := newWorld(t, s.Listener.Addr().String(), nil)
	for _, address := range []string{"https://example.com/x", "https://a.b.example.org/x", "https://other.example:8443/x"} {
		if status, body := get(t, w.client(), address); status != 200 || !strings.HasPrefix(body, "GET /x") {
			t.Errorf("%s: %d %s", address, status, body)
		}
	}
	w.run.Close()
	if !w.log.has("method=CONNECT", "target=a.b.example.org:443", "verdict=allowed") || w.log.has("sent=0", "verdict=allowed") {
		t.Errorf("the log:\n%s", w.log)
	}
}

func TestAnythingElseIsRefusedBeforeItIsLookedUp(t *testing.T) {
	w := newWorld(t, serve(t, echo), nil)
	for _, host := range []string{
		"evil.net", "notexample.com", "www.example.com", "example.org", "secret.example.org", "SECRET.example.org.",
		"example.com.evil.net", "other.example", "other.example:443", "example.com:22", "example.com:8443",
		site, "[2606:4700::1111]", "127.0.0.1", "localhost", "169.254.169.254", "[::ffff:169.254.169.254]",
	} {
		if status, body := get(t, w.client(), "http://"+host+"/"); status != http.StatusForbidden || !strings.Contains(body, "network.") {
			t.Errorf("%s: %d %s", host, status, body)
		}
		if !strings.Contains(host, ":") {
			host += ":443"
		}
		if _, err := w.client().Get("https://" + host + "/"); err == nil || !strings.Contains(err.Error(), "network policy") {
			t.Errorf("https %s: %v", host, err)
		}
	}
	if looked, dialed := w.visited(); len(looked)+len(dialed) > 0 {
		t.Errorf("looked up %q, dialed %q", looked, dialed)
	}
	if !w.log.has("target=evil.net:80", "verdict=not_allowed") || !w.log.has("secret.example.org", "verdict=blocked") || !w.log.has("verdict=port_not_allowed") {
		t.Errorf("the log:\n%s", w.log)
	}
}

func TestAStarIsEveryNameAndNoAddress(t *testing.T) {
	w := newWorld(t, serve(t, echo), func(o *egress.Options) { o.Allowed = []string{"*"} })
	if status, _ := get(t, w.client(), "http://anything.example/"); status != 200 {
		t.Errorf("a name: %d", status)
	}
	for _, host := range []string{"8.8.8.8", "134744072", "0x8080808", "8.8.2056", "[::1]", "127.0.0.1"} {
		if status, _ := get(t, w.client(), "http://"+host+"/"); status == 200 {
			t.Errorf("%s was reached", host)
		}
	}
}

// An allowed name whose owner points it inside must not open what is inside.
func TestNamesThatLeadInsideAreRefused(t *testing.T) {
	inside := []string{
		"127.0.0.1", "10.0.0.1", "192.168.0.1", "172.16.9.9", "169.254.169.254", "100.64.1.1", "0.0.0.0", "::1", "::",
		"fe80::1", "fd00::1", "fd00:ec2::254", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "224.0.0.1",
	}
	w := newWorld(t, serve(t, echo), nil)
	for _, addr := range inside {
		w.names["example.com"] = [][]string{{addr}}
		if status, body := get(t, w.client(), "http://example.com/"); status != 403 || strings.Contains(body, addr) {
			t.Errorf("%s: %d %s", addr, status, body)
		}
	}
	if _, dialed := w.visited(); len(dialed) > 0 {
		t.Errorf("dialed %q", dialed)
	}
	if !w.log.has("address=169.254.169.254", "verdict=address_refused") {
		t.Errorf("the log:\n%s", w.log)
	}
	// Of several, the others count.
	w.names["example.com"] = [][]string{{"10.0.0.1", site, "::1"}}
	if status, _ := get(t, w.client(), "http://example.com/"); status != 200 {
		t.Errorf("a name with one outside address: %d", status)
	}
	if _, dialed := w.visited(); !slices.Equal(dialed, []string{site + ":80"}) {
		t.Errorf("dialed %q", dialed)
	}
}

// The second answer of a rebinding name server is never asked for.
func TestRebindingHasNoSecondLookup(t *testing.T) {
	w := newWorld(t, serve(t, echo), nil)
	w.names["example.com"] = [][]string{{site}, {"127.0.0.1"}}
	if status, _ := get(t, w.client(), "http://example.com/"); status != 200 {
		t.Errorf("the first time: %d", status)
	}
	if looked, dialed := w.visited(); len(looked) != 1 || !slices.Equal(dialed, []string{site + ":80"}) {
		t.Errorf("looked up %q, dialed %q", looked, dialed)
	}
	if status, _ := get(t, w.client(), "http://example.com/"); status != 403 {
		t.Errorf("the second time: %d", status)
	}
}

func TestPrivateAddressesOpenOnlyWhenAsked(t *testing.T) {
	w := newWorld(t, serve(t, echo), func(o *egress.Options) {
		o.AllowPrivate = true
		o.Allowed = append(o.Allowed, "10.1.1.1", "169.254.7.7")
	})
	for addr, want := range map[string]int{
		"10.0.0.1": 200, "127.0.0.1": 200, "::1": 200, "fd00::1": 200,
		"169.254.169.254": 403, "169.254.7.7": 403, "fd00:ec2::254": 403, "fe80::1": 403, "0.0.0.0": 403, "224.0.0.1": 403,
	} {
		w.names["example.com"] = [][]string{{addr}}
		if status, body := get(t, w.client(), "http://example.com/"); status != want {
			t.Errorf("%s: %d %s, want %d", addr, status, body, want)
		}
	}
	for host, want := range map[string]int{"10.1.1.1": 200, "10.1.1.2": 403, "169.254.7.7": 200, "169.254.169.254": 403} {
		if status, body := get(t, w.client(), "http://"+host+"/"); status != want {
			t.Errorf("%s: %d %s, want %d", host, status, body, want)
		}
	}
}

// A redirect is the client's to follow, and comes back here.
func TestARedirectToMetadataIsRefused(t *testing.T) {
	for _, private := range []bool{false, true} {
		w := newWorld(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/latest/meta-data/", http.StatusFound)
		}), func(o *egress.Options) { o.AllowPrivate = private })
		if status, body := get(t, w.client(), "http://example.com/"); status != 403 || !strings.Contains(body, "169.254.169.254:80") {
			t.Errorf("%d %s", status, body)
		}
	}
}

func TestMalformedRequestsGoNowhere(t *testing.T) {
	w := newWorld(t, serve(t, echo), nil)
	for name, text := range map[string]string{
		"not HTTP":                "\x16\x03\x01\x02\x00\x01",
		"HTTP/2":                  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"no proxy request":        "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n",
		"https by GET":            "GET https://example.com/ HTTP/1.1\r\nHost: example.com\r\n\r\n",
		"ftp":                     "GET ftp://example.com/ HTTP/1.1\r\nHost: example.com\r\n\r\n",
		"no port":                 "CONNECT example.com HTTP/1.1\r\nHost: example.com\r\n\r\n",
		"port 0":                  "CONNECT example.com:0 HTTP/1.1\r\nHost: example.com\r\n\r\n",
		"a large port":            "CONNECT example.com:65979 HTTP/1.1\r\nHost: example.com\r\n\r\n",
		"a signed port":           "CONNECT example.com:+443 HTTP/1.1\r\nHost: example.com\r\n\r\n",
		"two ports":               "CONNECT example.com:443:443 HTTP/1.1\r\nHost: example.com\r\n\r\n",
		"user and host":           "CONNECT example.com:443@evil.net:443 HTTP/1.1\r\nHost: example.com\r\n\r\n",
		"a NUL":                   "CONNECT evil.net\x00.example.org:443 HTTP/1.1\r\nHost: x\r\n\r\n",
		"an escape":               "CONNECT evil.net%2f.example.org:443 HTTP/1.1\r\nHost: x\r\n\r\n",
		"a space":                 "CONNECT evil.net .example.org:443 HTTP/1.1\r\nHost: x\r\n\r\n",
		"a backslash":             "GET http://evil.net\\.example.org/ HTTP/1.1\r\nHost: x\r\n\r\n",
		"a fragment for a host":   "GET http://evil.net#.example.org/ HTTP/1.1\r\nHost: x\r\n\r\n",
		"a question for a host":   "GET http://evil.net?.example.org/ HTTP/1.1\r\nHost: x\r\n\r\n",
		"CONNECT with a body":     "CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
		"CONNECT with chunks":     "CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"two lengths":             "POST http://example.com/ HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
		"a folded header":         "GET http://example.com/ HTTP/1.1\r\nHost: x\r\n folded: y\r\n\r\n",
		"a header without a name": "GET http://example.com/ HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n",
		"a giant header":          "GET http://example.com/ HTTP/1.1\r\nHost: x\r\nA: " + strings.Repeat("x", 100<<10) + "\r\n\r\n",
		"a giant line":            "CONNECT " + strings.Repeat("a", 100<<10) + ":443 HTTP/1.1\r\n\r\n",
		"many headers":            "GET http://example.com/ HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("A: b\r\n", 20<<10) + "\r\n",
	} {
		answer := w.say(text)
		if strings.HasPrefix(answer, "HTTP/1.1 2") {
			t.Errorf("%s: %q", name, answer)
		}
	}
	if looked, dialed := w.visited(); len(looked)+len(dialed) > 0 {
		t.Errorf("looked up %q, dialed %q", looked, dialed)
	}
	// A line break in a target is never one in the log or in an answer.
	if answer := w.say("CONNECT a\rX-Injected:1.example.org:443 HTTP/1.1\r\nHost: x\r\n\r\n"); strings.Contains(answer, "\nX-Injected") {
		t.Errorf("%q", answer)
	}
}

// The Host header is not what was checked, so it is not what is sent.
func TestTheHostHeaderIsTheTarget(t *testing.T) {
	w := newWorld(t, serve(t, echo), nil)
	answer := w.say("GET http://example.com/ HTTP/1.1\r\nHost: evil.net\r\nConnection: close\r\n\r\n")
	if !strings.Contains(answer, "host=example.com ") {
		t.Errorf("%s", answer)
	}
}

// What is smuggled into one request must not become a second one at the other side.
func TestARequestIsOneRequest(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	w := newWorld(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		body, _ := io.ReadAll(r.Body)
		seen = append(seen, r.URL.Path+" "+string(body))
	}), nil)
	w.say("POST http://example.com/a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n" +
		"2e\r\nGET http://example.com/b HTTP/1.1\r\nHost: x\r\n\r\n\r\n0\r\n\r\n" +
		"GET http://evil.net/d HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	mu.Lock()
	defer mu.Unlock()
	if len(seen) != 1 || !strings.HasPrefix(seen[0], "/a GET ") {
		t.Errorf("the server saw %q", seen)
	}
}

// Bytes that come along with CONNECT are the tunnel's, and both ends can end on their own.
func TestATunnelCarriesEveryByte(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := make(chan string, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		all, _ := io.ReadAll(conn)
		got <- string(all)
		io.WriteString(conn, "answer")
	}()
	w := newWorld(t, l.Addr().String(), nil)
	answer := w.say("CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\nearly " + strings.Repeat("z", 70<<10))
	if !strings.HasSuffix(answer, "\r\n\r\nanswer") {
		t.Errorf("%q", answer)
	}
	if text := <-got; text != "early "+strings.Repeat("z", 70<<10) {
		t.Errorf("%d bytes arrived", len(text))
	}
}

func TestOneRunIsHeldToItsShare(t *testing.T) {
	endless := func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	}
	w := newWorld(t, serve(t, endless), func(o *egress.Options) { o.Bytes, o.Connections = 300<<10, 2 })
	response, err := w.client().Get("http://example.com/")
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, response.Body)
	response.Body.Close()
	if err == nil || n > 400<<10 {
		t.Errorf("%d bytes, %v", n, err)
	}
	if !w.log.has("verdict=bytes_limit") {
		t.Errorf("the log:\n%s", w.log)
	}
	if status, body := get(t, w.client(), "http://example.com/"); status != 429 || !strings.Contains(body, "network.bytes") {
		t.Errorf("after the limit: %d %s", status, body)
	}
	// Another run has a share of its own.
	other := w.proxy.NewRun()
	defer other.Close()
	for i := range 3 {
		_, theirs := pipe(t)
		if err := other.Accept(theirs); (err == nil) != (i < 2) || err != nil && !errors.Is(err, egress.ErrLimit) {
			t.Errorf("connection %d: %v", i, err)
		}
	}
}

func TestAFloodOfRequestsEndsAndSoDoesItsLog(t *testing.T) {
	w := newWorld(t, serve(t, echo), nil)
	for range egress.MaxRequests {
		w.run.Refused("8.8.8.8:53")
	}
	if n := strings.Count(w.log.String(), "\n"); n > 10 {
		t.Errorf("%d lines about attempts past the proxy", n)
	}
	c := w.client()
	for range egress.MaxRequests {
		get(t, c, "http://evil.net/")
	}
	if status, body := get(t, w.client(), "http://example.com/"); status != 429 {
		t.Errorf("%d %s", status, body)
	}
	if n := strings.Count(w.log.String(), "\n"); n > egress.MaxRequests+10 {
		t.Errorf("%d lines", n)
	}
	w.run.Begin("x2")
	if status, _ := get(t, w.client(), "http://example.com/"); status != 200 {
		t.Errorf("the next run: %d", status)
	}
}

func TestSlowOnesAreCutOff(t *testing.T) {
	hang := make(chan struct{})
	w := newWorld(t, serve(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-hang:
		case <-r.Context().Done():
		}
	}), func(o *egress.Options) {
		o.Timeouts = egress.Timeouts{Header: 100 * time.Millisecond, Idle: 200 * time.Millisecond, Connect: 200 * time.Millisecond}
	})
	defer close(hang)
	ends := func(name string, conn net.Conn) {
		t.Helper()
		begun := time.Now()
		_, err := io.Copy(io.Discard, conn)
		if took := time.Since(begun); took > 3*time.Second {
			t.Errorf("%s: held for %s (%v)", name, took, err)
		}
	}
	slow := w.connect()
	stop := make(chan struct{})
	var dripping sync.WaitGroup
	dripping.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
				if _, err := io.WriteString(slow, "GET http://example.com/ HTTP/1.1\r\nA: bbbbbbbbbbbbbbbb"[i%50:i%50+1]); err != nil {
					return
				}
			}
		}
	})
	ends("a header, byte by byte", slow)
	close(stop)
	dripping.Wait()
	ends("nothing at all", w.connect())
	tunnel := w.connect()
	io.WriteString(tunnel, "CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n")
	ends("an idle tunnel", tunnel)
	if !w.log.has("verdict=idle") {
		t.Errorf("the log:\n%s", w.log)
	}
	if status, _ := get(t, w.client(), "http://example.com/"); status != 504 {
		t.Errorf("a server without an answer: %d", status)
	}
}

func TestNothingLastsForEver(t *testing.T) {
	w := newWorld(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			io.WriteString(w, "x")
			w.(http.Flusher).Flush()
			time.Sleep(10 * time.Millisecond)
		}
	}), func(o *egress.Options) { o.Timeouts.Total = 300 * time.Millisecond })
	response, err := w.client().Get("http://example.com/")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err == nil {
		t.Error("an endless response ended well")
	}
	if !w.log.has("verdict=time_limit") {
		t.Errorf("the log:\n%s", w.log)
	}
}

// The end of a run cuts everything off, at once and wherever it is.
func TestClosingARunEndsItsConnections(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	w := newWorld(t, l.Addr().String(), nil)
	idle, tunnel, waiting := w.connect(), w.connect(), w.connect()
	io.WriteString(tunnel, "CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n")
	if line, err := bufio.NewReader(tunnel).ReadString('\n'); err != nil || !strings.Contains(line, "200") {
		t.Fatalf("%q %v", line, err)
	}
	io.WriteString(waiting, "GET http://example.com/ HTTP/1.1\r\nHost: x\r\n\r\n")
	// One that waits for a name server, with a body that nobody has read.
	resolving := w.connect()
	io.WriteString(resolving, "POST http://slow.example.org/ HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nx")
	time.Sleep(50 * time.Millisecond)
	begun := time.Now()
	w.run.Close()
	for _, conn := range []net.Conn{idle, tunnel, waiting, resolving} {
		io.Copy(io.Discard, conn)
	}
	if took := time.Since(begun); took > 2*time.Second {
		t.Errorf("it took %s", took)
	}
	_, theirs := pipe(t)
	if err := w.run.Accept(theirs); err == nil {
		t.Error("a closed run took a connection")
	}
}

func TestAnEntryThatCannotBeReadIsNoProxy(t *testing.T) {
	for _, o := range []egress.Options{
		{Allowed: []string{"a b"}, Connections: 1, Bytes: 1}, {Blocked: []string{"*.*"}, Connections: 1, Bytes: 1}, {},
	} {
		if _, err := egress.New(o); err == nil {
			t.Errorf("%+v", o)
		}
	}
}
