package egress_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/codemode-sdk/codemode/internal/waittest"
	"github.com/codemode-sdk/codemode/sidecar/egress"
)

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
	// As slow as it takes that others are not.
	waittest.Longer(t, 100*time.Millisecond, func(limit time.Duration) error { return cutsOffSlowOnes(t, limit) })
}

func cutsOffSlowOnes(t *testing.T, limit time.Duration) error {
	t.Helper()
	hang := make(chan struct{})
	w := newWorld(t, serve(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-hang:
		case <-r.Context().Done():
		}
	}), func(o *egress.Options) {
		o.Timeouts = egress.Timeouts{Header: limit, Idle: 2 * limit}
	})
	defer close(hang)
	ends := func(name string, conn net.Conn) {
		t.Helper()
		if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: held for %s", name, waittest.Patience)
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
			case <-time.After(limit / 5):
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
	w.log.has("method=CONNECT")
	if !w.log.hasNow("verdict=idle") {
		return fmt.Errorf("the log:\n%s", w.log)
	}
	response, err := w.client().Get("http://example.com/")
	if err != nil {
		return err
	}
	response.Body.Close()
	if response.StatusCode != http.StatusGatewayTimeout {
		return fmt.Errorf("a server without an answer: %s", response.Status)
	}
	return nil
}

func TestNothingLastsForEver(t *testing.T) {
	waittest.Longer(t, 300*time.Millisecond, func(limit time.Duration) error { return endsTheEndless(t, limit) })
}

func endsTheEndless(t *testing.T, limit time.Duration) error {
	t.Helper()
	w := newWorld(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			io.WriteString(w, "x")
			w.(http.Flusher).Flush()
			time.Sleep(10 * time.Millisecond)
		}
	}), func(o *egress.Options) { o.Timeouts.Total = limit })
	response, err := w.client().Get("http://example.com/")
	if err != nil {
		return err // it came to its end before it had begun
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err == nil {
		t.Error("an endless response ended well")
	}
	if !w.log.has("verdict=time_limit") {
		t.Errorf("the log:\n%s", w.log)
	}
	return nil
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
	time.Sleep(50 * time.Millisecond) // so that most are where they are held up
	w.run.Close()
	for _, conn := range []net.Conn{idle, tunnel, waiting, resolving} {
		if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("a connection outlives its run")
		}
	}
	_, theirs := pipe(t)
	if err := w.run.Accept(theirs); err == nil {
		t.Error("a closed run took a connection")
	}
}
