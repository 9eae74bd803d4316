// Package stalltest has connections for tests that fall silent: as when a machine is gone,
// or a cable cut, nothing arrives any more and nobody says so.
package stalltest

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
)

// A Proxy passes TCP connections on until it stalls.
type Proxy struct {
	// Address is host:port of the proxy.
	Address string

	mu      sync.Mutex
	stalled bool
	open    []net.Conn
}

// Start passes connections on to an address. It ends with the test.
func Start(t *testing.T, address string) *Proxy {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{Address: listener.Addr().String()}
	var passing sync.WaitGroup
	passing.Go(func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return
			}
			to, err := new(net.Dialer).DialContext(context.Background(), "tcp", address)
			if err != nil {
				from.Close()
				continue
			}
			p.mu.Lock()
			p.open = append(p.open, from, to)
			p.mu.Unlock()
			passing.Go(func() { p.pass(from, to) })
			passing.Go(func() { p.pass(to, from) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		p.mu.Lock()
		for _, conn := range p.open {
			conn.Close()
		}
		p.mu.Unlock()
		passing.Wait()
	})
	return p
}

// Stall loses from here on what either end sends, and keeps connections open.
func (p *Proxy) Stall() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stalled = true
}

func (p *Proxy) pass(from io.Reader, to io.WriteCloser) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		p.mu.Lock()
		stalled := p.stalled
		p.mu.Unlock()
		if stalled && err == nil {
			continue
		}
		if err == nil {
			_, err = to.Write(buffer[:n])
		}
		if err != nil {
			if !stalled {
				to.Close()
			}
			return
		}
	}
}
