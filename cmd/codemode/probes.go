package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/sidecar"
	"github.com/codemode-sdk/codemode/sidecar/metrics"
)

// probes is the HTTP side of codemode serve: /healthz, /readyz and /metrics. It answers
// from before the sandbox stands until the executor has stopped.
type probes struct {
	server   *http.Server
	serving  sync.WaitGroup
	executor atomic.Pointer[observed]
}

// observed is an executor with its metrics.
type observed struct {
	*sidecar.Server
	metrics http.Handler
}

// serveProbes listens on an address; none at all if it is empty.
func serveProbes(address string, log *slog.Logger) (*probes, error) {
	p := &probes{}
	if address == "" {
		return p, nil
	}
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", address)
	if err != nil {
		return nil, fault.Wrap(fault.Config, err, "probes and metrics have nowhere to listen").
			WithRemedy("choose another executor.server.http_address")
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", p.ready)
	mux.HandleFunc("GET /metrics", p.metrics)
	p.server = &http.Server{
		Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	p.serving.Go(func() {
		if err := p.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error("probes and metrics are no longer served", "error", err)
		}
	})
	log.Info("probes and metrics", "address", "http://"+listener.Addr().String())
	return p, nil
}

// started makes the answers those of an executor.
func (p *probes) started(server *sidecar.Server) {
	if p.server == nil {
		return
	}
	m := metrics.New(server)
	server.Observe(m)
	p.executor.Store(&observed{server, m.Handler()})
}

func (p *probes) ready(w http.ResponseWriter, _ *http.Request) {
	why := "the executor is starting"
	if e := p.executor.Load(); e != nil {
		why = e.Unready()
	}
	if why != "" {
		http.Error(w, why, http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
}

func (p *probes) metrics(w http.ResponseWriter, r *http.Request) {
	e := p.executor.Load()
	if e == nil {
		http.Error(w, "the executor is starting", http.StatusServiceUnavailable)
		return
	}
	e.metrics.ServeHTTP(w, r)
}

// close ends all connections, and waits.
func (p *probes) close() error {
	if p.server == nil {
		return nil
	}
	err := p.server.Close()
	p.serving.Wait()
	return err
}
