package egress

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"sync"
	"time"
)

// A visit is one request on its way, as the log will tell it.
type visit struct {
	run     *Run
	begun   time.Time
	method  string
	target  string
	address netip.Addr
	flow    *flow
	verdict string
}

// maxLogged bounds what a line of the log quotes of a request.
const maxLogged = 260

func (v *visit) log(log *slog.Logger) {
	if cut := v.flow.cut.Load(); cut != nil {
		v.verdict = *cut
	}
	v.run.count(v.verdict)
	address := ""
	if v.address.IsValid() {
		address = v.address.String()
	}
	log.Info("egress", "execution", v.run.name(), "method", v.method[:min(len(v.method), 16)],
		"target", v.target[:min(len(v.target), maxLogged)], "address", address,
		"sent", v.flow.sent.Load(), "received", v.flow.received.Load(),
		"ms", time.Since(v.begun).Milliseconds(), "verdict", v.verdict)
}

// serve answers one request of a program.
func (p *Proxy) serve(w http.ResponseWriter, r *http.Request) {
	run, ok := r.Context().Value(runKey{}).(*Run)
	if !ok || !run.hold() { // a handler outlives its connection by a moment
		http.Error(w, "the run is over", http.StatusServiceUnavailable)
		return
	}
	defer run.release()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(run.ctx, cancel)()
	r = r.WithContext(ctx)
	if n := run.requests.Add(1); n > MaxRequests {
		run.count(p.refuse(w, r, &refusal{http.StatusTooManyRequests, "requests_limit",
			fmt.Sprintf("the run has made its %d requests", MaxRequests)}))
		return
	}
	v := &visit{run: run, begun: time.Now(), method: r.Method, target: r.RequestURI, flow: newFlow(run, p.options.Timeouts.Idle)}
	defer func() { v.log(p.options.Log) }() // also when the response was cut off by a panic of ReverseProxy's
	conn, at, err := p.open(r, v)
	if err != nil {
		v.verdict = p.refuse(w, r, err)
		return
	}
	defer conn.Close()
	v.verdict = "allowed"
	ctx, cancel = context.WithTimeout(ctx, p.options.Timeouts.Total)
	defer cancel()
	defer func() { // before the line is written
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			v.flow.end("time_limit")
		}
	}()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if r.Method == http.MethodConnect {
		p.tunnel(ctx, w, v, conn)
	} else {
		p.forward(ctx, w, r, v, at, conn)
	}
}

// open finds out whether the request may go where it wants to, and connects.
func (p *Proxy) open(r *http.Request, v *visit) (*end, target, error) {
	t, err := targetOf(r)
	if err != nil {
		return nil, t, err
	}
	v.target = t.String()
	if err := p.check(t); err != nil {
		return nil, t, err
	}
	if v.run.bytes.Load() >= p.options.Bytes {
		return nil, t, &refusal{http.StatusTooManyRequests, "bytes_limit", errBytes.Error()}
	}
	conn, addr, err := p.connect(r.Context(), t)
	v.address = addr
	if err != nil {
		return nil, t, err
	}
	return &end{Conn: conn, flow: v.flow, in: &v.flow.received, out: &v.flow.sent}, t, nil
}

// refuse answers, and gives the verdict. A client shows of a refused CONNECT only the
// status line, so the reason goes there.
func (p *Proxy) refuse(w http.ResponseWriter, r *http.Request, err error) string {
	var why *refusal
	if !errors.As(err, &why) {
		why = &refusal{http.StatusBadGateway, "failed", "the proxy failed"}
	}
	text := "refused by the executor's network policy: " + why.message
	if why.status >= 500 {
		text = why.message
	}
	w.Header().Set("Connection", "close")
	hijacker, ok := w.(http.Hijacker)
	if r.Method != http.MethodConnect || !ok {
		http.Error(w, text, why.status)
		return why.verdict
	}
	conn, _, err := hijacker.Hijack()
	if err != nil {
		return why.verdict
	}
	// The program may be gone, and then nobody misses the answer.
	_ = conn.SetWriteDeadline(time.Now().Add(p.options.Timeouts.Header))
	_, _ = fmt.Fprintf(conn, "HTTP/1.1 %d %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s\n",
		why.status, text, len(text)+1, text)
	_ = conn.Close()
	return why.verdict
}

// tunnel moves bytes both ways until both sides have ended, or one has failed.
func (p *Proxy) tunnel(ctx context.Context, w http.ResponseWriter, v *visit, remote *end) {
	hijacker, ok := w.(http.Hijacker)
	if !ok {
		return
	}
	conn, buffered, err := hijacker.Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	local := &end{Conn: conn, flow: v.flow}
	if _, err := io.WriteString(local, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return
	}
	// What a program sends along with CONNECT belongs into the tunnel.
	early, err := buffered.Reader.Peek(buffered.Reader.Buffered())
	if err != nil {
		return
	}
	if _, err := remote.Write(early); err != nil {
		return
	}
	move := func(to, from *end) {
		if _, err := io.Copy(struct{ io.Writer }{to}, struct{ io.Reader }{from}); err != nil {
			conn.Close()
			remote.Close()
			return
		}
		if to.CloseWrite() != nil { // the other side is gone already
			to.Close()
		}
	}
	var both sync.WaitGroup
	both.Go(func() { move(remote, local) })
	both.Go(func() { move(local, remote) })
	both.Wait()
}

// forward sends a request on, over the connection that was made for it.
func (p *Proxy) forward(ctx context.Context, w http.ResponseWriter, r *http.Request, v *visit, t target, remote *end) {
	unused := make(chan net.Conn, 1)
	unused <- remote
	transport := &http.Transport{
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			select {
			case conn := <-unused:
				return conn, nil
			default:
				return nil, errors.New("a request has one connection")
			}
		},
		DisableKeepAlives:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxResponseHeader,
		ExpectContinueTimeout:  time.Second,
	}
	deadline, _ := ctx.Deadline()
	if err := http.NewResponseController(w).SetWriteDeadline(deadline); err != nil {
		return
	}
	authority := t.String()
	if t.port == 80 {
		authority = t.host.String()
	}
	reverse := &httputil.ReverseProxy{
		Rewrite: func(pr *httputil.ProxyRequest) {
			pr.Out.URL.Host, pr.Out.Host = authority, authority
			pr.Out.URL.RawQuery = pr.In.URL.RawQuery
			// ReverseProxy drops these, for there they would speak of its own client.
			for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"} {
				if values, ok := pr.In.Header[name]; ok {
					pr.Out.Header[name] = values
				}
			}
		},
		Transport:     transport,
		FlushInterval: -1,
		ErrorLog:      slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			why := &refusal{http.StatusBadGateway, "failed", authority + " gave no usable answer"}
			if v.flow.cut.Load() != nil {
				why = &refusal{http.StatusGatewayTimeout, "failed", authority + " took too long, or said too much"}
			}
			v.verdict = p.refuse(w, r, why)
		},
	}
	reverse.ServeHTTP(w, r.WithContext(ctx))
}
