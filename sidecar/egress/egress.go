// Package egress is the one way out of a sandbox in network mode restricted: an HTTP
// proxy that connects only where the configuration says.
//
// It speaks what HTTP clients speak to a proxy: CONNECT for https, and requests with an
// absolute URI for http. The programs it serves are hostile, and so is what they connect
// to. It resolves names itself, after the name was found to be allowed, so that a refused
// name never reaches a name server; it refuses addresses that are not of the public
// internet; and it connects to the very address that it checked, so that no second answer
// of a name server counts. What it cannot check it refuses.
//
//	proxy, err := egress.New(egress.Options{Allowed: []string{"*.example.com"}, Connections: 32, Bytes: 1 << 28})
//	run := proxy.NewRun()
//	run.Begin("x1")        // the execution's name in the log
//	err = run.Accept(conn) // one connection of the program; as often as it makes one
//	run.Close()            // cuts off all of them
//
// What it does not do: look into TLS. Behind an allowed name may be a server that serves
// other names as well.
package egress

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/codemode-sdk/codemode/config"
)

// Options say what a proxy lets through.
type Options struct {
	// Allowed and Blocked are entries as config.ParseDomain reads them; blocked ones win,
	// and an empty Allowed allows nothing.
	Allowed, Blocked []string
	// AllowPrivate lets connections to private and loopback addresses pass.
	AllowPrivate bool
	// Connections bounds the connections of one run that are open at once.
	Connections int
	// Bytes bounds what one run sends and receives together.
	Bytes int64
	// Timeouts bound each connection; a zero one has its default.
	Timeouts Timeouts
	// Log gets a line for each connection. If nil, there is none.
	Log *slog.Logger
	// Lookup resolves a name. If nil, the system's resolver.
	Lookup func(ctx context.Context, name string) ([]netip.Addr, error)
	// Dial connects to exactly this address. If nil, by TCP.
	Dial func(ctx context.Context, address netip.AddrPort) (net.Conn, error)
}

// Timeouts bound a connection in time.
type Timeouts struct {
	// Header is how long a request's header may take to arrive; 10 s by default.
	Header time.Duration
	// Connect bounds resolving and connecting together; 10 s by default.
	Connect time.Duration
	// Idle ends a connection on which nothing moves in either direction; 60 s by default.
	Idle time.Duration
	// Total ends it in any case; 15 minutes by default.
	Total time.Duration
}

const (
	// maxHeader bounds a request's header, in bytes; net/http grants 4 KiB on top.
	maxHeader = 32 << 10
	// maxResponseHeader bounds a response's.
	maxResponseHeader = 256 << 10
	// MaxRequests bounds the requests, and so the lines of the log, of one run, and as
	// well the connections that it opens, one after another.
	MaxRequests = 2000
	// maxRefused bounds what the log says of one run's attempts past the proxy.
	maxRefused = 8
)

// A Proxy serves the runs of one executor.
type Proxy struct {
	options          Options
	allowed, blocked []config.Domain
	server           *http.Server
	incoming         *queue
	serving          sync.WaitGroup
}

// New makes a proxy, which the caller closes. The error says which entry cannot be read.
func New(o Options) (*Proxy, error) {
	p := &Proxy{options: o, incoming: newQueue()}
	var err error
	if p.allowed, err = parse(o.Allowed); err != nil {
		return nil, err
	}
	if p.blocked, err = parse(o.Blocked); err != nil {
		return nil, err
	}
	if o.Connections <= 0 || o.Bytes <= 0 {
		return nil, errors.New("egress: Connections and Bytes must be set")
	}
	t := &p.options.Timeouts
	for at, initial := range map[*time.Duration]time.Duration{
		&t.Header: 10 * time.Second, &t.Connect: 10 * time.Second, &t.Idle: time.Minute, &t.Total: 15 * time.Minute,
	} {
		if *at == 0 {
			*at = initial
		}
	}
	if p.options.Log == nil {
		p.options.Log = slog.New(slog.DiscardHandler)
	}
	if p.options.Lookup == nil {
		p.options.Lookup = lookup
	}
	if p.options.Dial == nil {
		p.options.Dial = dial
	}
	p.server = &http.Server{
		Handler:           http.HandlerFunc(p.serve),
		ReadHeaderTimeout: t.Header,
		IdleTimeout:       t.Idle,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(slog.DiscardHandler, slog.LevelError), // a program's mistakes
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, runKey{}, c.(*client).run)
		},
	}
	p.serving.Go(func() {
		_ = p.server.Serve(p.incoming) // always ErrServerClosed: the queue has no other end
	})
	return p, nil
}

func parse(entries []string) ([]config.Domain, error) {
	var domains []config.Domain
	for _, entry := range entries {
		d, err := config.ParseDomain(entry)
		if err != nil {
			return nil, fmt.Errorf("egress: %q %w", entry, err)
		}
		domains = append(domains, d)
	}
	return domains, nil
}

// Close ends everything that is under way. Runs must have been closed.
func (p *Proxy) Close() error {
	err := p.server.Close()
	p.serving.Wait()
	return err
}

type runKey struct{}

// A Run is one execution's share of the proxy.
type Run struct {
	proxy     *Proxy
	execution atomic.Pointer[string]
	requests  atomic.Int64
	refused   atomic.Int64
	bytes     atomic.Int64

	ctx    context.Context // ends with the run
	cancel context.CancelFunc

	mu       sync.Mutex
	open     map[*client]bool
	closed   bool
	verdicts map[string]int
	gone     sync.WaitGroup // for the clients in open, and for what serves them
}

// NewRun gives a run that may make connections from now on. The caller closes it.
func (p *Proxy) NewRun() *Run {
	r := &Run{proxy: p, open: map[*client]bool{}}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	return r
}

// Begin names the execution in the log, and counts from zero.
func (r *Run) Begin(execution string) {
	r.execution.Store(&execution)
	r.requests.Store(0)
	r.refused.Store(0)
	r.bytes.Store(0)
	r.mu.Lock()
	r.verdicts = nil
	r.mu.Unlock()
}

// count adds to Verdicts.
func (r *Run) count(verdict string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.verdicts == nil {
		r.verdicts = map[string]int{}
	}
	r.verdicts[verdict]++
}

// Verdicts counts the requests since Begin by the words of the log: what became of them,
// and "bypass" for attempts past the proxy. They are complete after Close.
func (r *Run) Verdicts() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.verdicts)
}

// Started says whether Begin was called.
func (r *Run) Started() bool { return r.execution.Load() != nil }

func (r *Run) name() string {
	if name := r.execution.Load(); name != nil {
		return *name
	}
	return ""
}

// ErrLimit is why a run gets no further connection.
var ErrLimit = errors.New("egress: too many connections")

// Accept serves one connection of the program's, and closes it. It does not block.
func (r *Run) Accept(conn net.Conn) error {
	c := &client{Conn: conn, run: r}
	r.mu.Lock()
	if r.closed || len(r.open) >= r.proxy.options.Connections {
		r.mu.Unlock()
		return errors.Join(ErrLimit, conn.Close())
	}
	r.open[c] = true
	r.gone.Add(1)
	r.mu.Unlock()
	if !r.proxy.incoming.put(c) {
		return errors.Join(net.ErrClosed, c.Close())
	}
	return nil
}

// Close cuts off all connections of the run and waits until they are gone.
func (r *Run) Close() {
	r.mu.Lock()
	r.closed = true
	open := make([]*client, 0, len(r.open))
	for c := range r.open {
		open = append(open, c)
	}
	r.mu.Unlock()
	r.cancel()
	for _, c := range open {
		_ = c.Close() // a socket's close; nothing is buffered
	}
	r.gone.Wait()
}

// hold keeps Close waiting until release; false if it came first.
func (r *Run) hold() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.gone.Add(1)
	}
	return !r.closed
}

func (r *Run) release() { r.gone.Done() }

// Refused writes to the log that the program tried to connect past the proxy, the first
// few times that it does.
func (r *Run) Refused(target string) {
	n := r.refused.Add(1)
	r.count("bypass")
	if n > maxRefused {
		return
	}
	r.proxy.options.Log.Warn("egress", "execution", r.name(), "target", target, "verdict", "bypass", "last_of_this_run", n == maxRefused)
}

// spend takes n bytes from the run's share; false if there are not so many left.
func (r *Run) spend(n int) bool { return r.bytes.Add(int64(n)) <= r.proxy.options.Bytes }

// A client is a connection of a program's.
type client struct {
	net.Conn
	run  *Run
	once sync.Once
	err  error
}

func (c *client) Close() error {
	c.once.Do(func() {
		c.err = c.Conn.Close()
		c.run.mu.Lock()
		delete(c.run.open, c)
		c.run.mu.Unlock()
		c.run.gone.Done()
	})
	return c.err
}

// CloseWrite ends what the program can read.
func (c *client) CloseWrite() error { return closeWrite(c.Conn) }

// A queue hands connections that exist to an http.Server.
type queue struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newQueue() *queue { return &queue{conns: make(chan net.Conn), done: make(chan struct{})} }

func (q *queue) put(c net.Conn) bool {
	select {
	case q.conns <- c:
		return true
	case <-q.done:
		return false
	}
}

// Accept is net.Listener's.
func (q *queue) Accept() (net.Conn, error) {
	select {
	case c := <-q.conns:
		return c, nil
	case <-q.done:
		return nil, net.ErrClosed
	}
}

// Close is net.Listener's.
func (q *queue) Close() error {
	q.once.Do(func() { close(q.done) })
	return nil
}

// Addr is net.Listener's.
func (q *queue) Addr() net.Addr { return &net.UnixAddr{Name: "egress", Net: "unix"} }
