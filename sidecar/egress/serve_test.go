package egress_test

import (
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/codemode-sdk/codemode/sidecar/egress"
)

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

func TestAnEntryThatCannotBeReadIsNoProxy(t *testing.T) {
	for _, o := range []egress.Options{
		{Allowed: []string{"a b"}, Connections: 1, Bytes: 1}, {Blocked: []string{"*.*"}, Connections: 1, Bytes: 1}, {},
	} {
		if _, err := egress.New(o); err == nil {
			t.Errorf("%+v", o)
		}
	}
}
