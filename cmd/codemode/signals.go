package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/codemode-sdk/codemode/sidecar"
)

// signals are those that a serving process acts on.
type signals struct {
	end    chan os.Signal // SIGTERM, SIGINT: stop; a second time, at once
	reload chan os.Signal // SIGHUP
}

func newSignals() *signals {
	s := &signals{end: make(chan os.Signal, 2), reload: make(chan os.Signal, 1)}
	signal.Notify(s.end, os.Interrupt, syscall.SIGTERM)
	signal.Notify(s.reload, syscall.SIGHUP)
	return s
}

func (s *signals) stop() {
	signal.Stop(s.end)
	signal.Stop(s.reload)
}

// serve serves until the first signal to end, and then lets what runs come to its end.
func (s *signals) serve(server *sidecar.Server, listener net.Listener, reload *reloader, log *slog.Logger) error {
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	for {
		select {
		case err := <-served:
			return errors.Join(fmt.Errorf("the executor stopped: %w", err), server.Close())
		case <-s.reload:
			reload.reload(server)
		case received := <-s.end:
			err := s.drain(received, server, reload, log)
			return errors.Join(err, <-served)
		}
	}
}

// drain waits for what runs: as long as the configuration says, or until a second signal.
func (s *signals) drain(first os.Signal, server *sidecar.Server, reload *reloader, log *slog.Logger) error {
	patience := reload.latest.Executor.Server.DrainTimeout
	stats := server.Stats()
	log.Info("stopping: what runs may come to its end; a second signal cuts it off",
		"signal", first.String(), "at_most", patience, "running", stats.Running, "queued", stats.Queued)
	draining, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	finished := make(chan struct{})
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		for {
			select {
			case received := <-s.end:
				log.Warn("stopping at once", "signal", received.String())
				cancel()
			case <-s.reload:
				log.Warn("the configuration is not reloaded: the executor is stopping")
			case <-finished:
				return
			}
		}
	}()
	err := server.Shutdown(draining)
	close(finished)
	<-watching
	if err == nil {
		log.Info("stopped", "cut_off", false)
	} else {
		log.Error("stopped", "error", err)
	}
	return err
}
