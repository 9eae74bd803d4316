package sidecar

import (
	"net"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// localListener connects a process to itself by socket pairs. There is no address, so
// there is nobody to keep out.
type localListener struct {
	once   sync.Once
	mu     sync.Mutex
	conns  chan net.Conn
	closed chan struct{}
}

func (l *localListener) start(serve func(net.Listener)) {
	l.once.Do(func() {
		l.mu.Lock()
		l.conns, l.closed = make(chan net.Conn), make(chan struct{})
		l.mu.Unlock()
		serve(l)
	})
}

func (l *localListener) dial() (net.Conn, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socketpair", err)
	}
	var ends [2]net.Conn
	for i, fd := range pair {
		conn, err := unixConn(fd)
		if err != nil {
			return nil, err
		}
		ends[i] = conn
	}
	select {
	case l.conns <- ends[0]:
		return ends[1], nil
	case <-l.closed:
		ends[0].Close()
		ends[1].Close()
		return nil, errStopped
	}
}

func (l *localListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close is what the gRPC server calls when it stops.
func (l *localListener) Close() error {
	l.close()
	return nil
}

func (l *localListener) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed == nil {
		return
	}
	select {
	case <-l.closed:
	default:
		close(l.closed)
	}
}

func (l *localListener) Addr() net.Addr { return &net.UnixAddr{Name: "embedded", Net: "unix"} }
