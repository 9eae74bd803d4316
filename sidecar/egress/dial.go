package egress

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

// lookup asks the system's resolver. A name with a dot is looked up as it is, and not
// below the domains of resolv.conf's search list, which nobody allowed.
func lookup(ctx context.Context, name string) ([]netip.Addr, error) {
	if strings.Contains(name, ".") {
		name += "."
	}
	return net.DefaultResolver.LookupNetIP(ctx, "ip", name)
}

func dial(ctx context.Context, address netip.AddrPort) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "tcp", address.String())
}

func shareOf(deadline time.Time, parts int) time.Time {
	now := time.Now()
	return now.Add(deadline.Sub(now) / time.Duration(max(1, parts)))
}

// A flow is what moves on a connection, in both directions together.
type flow struct {
	run            *Run
	idle           time.Duration
	moved          atomic.Int64 // when something last did, in Unix nanoseconds
	sent, received atomic.Int64
	cut            atomic.Pointer[string] // the verdict that ended it
}

func newFlow(run *Run, idle time.Duration) *flow {
	f := &flow{run: run, idle: idle}
	f.moved.Store(time.Now().UnixNano())
	return f
}

func (f *flow) end(verdict string) { f.cut.CompareAndSwap(nil, &verdict) }

var errBytes = errors.New("the run has sent and received what it may (network.bytes)")

// An end is one side of a flow. Reading and writing fail when nothing has moved for too
// long, however slowly bytes trickle that the other side waits for.
type end struct {
	net.Conn
	flow *flow
	// in and out count what is read and written; nil on the program's side, where the
	// same bytes pass once more.
	in, out *atomic.Int64
}

func (e *end) Read(b []byte) (int, error) {
	for {
		if err := e.Conn.SetReadDeadline(time.Unix(0, e.flow.moved.Load()).Add(e.flow.idle)); err != nil {
			return 0, err
		}
		n, err := e.Conn.Read(b)
		if n == 0 && errors.Is(err, os.ErrDeadlineExceeded) {
			if time.Since(time.Unix(0, e.flow.moved.Load())) < e.flow.idle {
				continue // the other direction moves
			}
			e.flow.end("idle")
		}
		return e.count(n, e.in, err)
	}
}

func (e *end) Write(b []byte) (int, error) {
	if err := e.Conn.SetWriteDeadline(time.Now().Add(e.flow.idle)); err != nil {
		return 0, err
	}
	n, err := e.Conn.Write(b)
	return e.count(n, e.out, err)
}

func (e *end) count(n int, at *atomic.Int64, err error) (int, error) {
	if n == 0 {
		return n, err
	}
	e.flow.moved.Store(time.Now().UnixNano())
	if at == nil {
		return n, err
	}
	at.Add(int64(n))
	if !e.flow.run.spend(n) {
		e.flow.end("bytes_limit")
		return n, errors.Join(err, errBytes, e.Conn.Close())
	}
	return n, err
}

// CloseWrite says that no more comes, where the connection can say so.
func (e *end) CloseWrite() error { return closeWrite(e.Conn) }

func closeWrite(conn net.Conn) error {
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return conn.Close()
}
