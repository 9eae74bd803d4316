package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/internal/version"
	"github.com/codemode-sdk/codemode/sidecar"
)

func serveCommand() command {
	return command{
		name:    "serve",
		usage:   "serve [flags]",
		summary: "runs an executor for other processes, until SIGTERM",
		help: `
It listens on 127.0.0.1:8001 unless told otherwise; on any other address only with an
API key, from CODEMODE_API_KEY or the configuration. SIGTERM or SIGINT lets what runs
come to its end; a second one cuts it off.`,
		prepare: func(flags *flagSet, io stdio) func([]string) (int, error) {
			flags.String("host", "", "listen on `HOST`")
			flags.String("port", "", "listen on `PORT`; 0 takes any free one")
			flags.String("socket", "", "listen on a unix socket at `PATH` in place of a port")
			file := flags.String("config", "", "configure from `FILE` in place of codemode.yaml")
			return func(args []string) (int, error) {
				if err := none(args); err != nil {
					return exitOther, err
				}
				tcp := flags.given("host") || flags.given("port")
				if tcp && flags.given("socket") {
					return exitOther, errors.New("--socket does not go with --host and --port: listen on one or the other")
				}
				loaded, err := config.Load(*file, flags.overrides(map[string]string{
					"host": "executor.server.host", "port": "executor.server.port", "socket": "executor.server.socket",
				})...)
				if err != nil {
					return exitOther, err
				}
				cfg := loaded.Sidecar()
				if tcp {
					cfg.Socket = "" // the flag comes before the file's socket
				}
				if err := cfg.Validate(); err != nil {
					return exitOther, err
				}
				if err := hideSecrets("CODEMODE_API_KEY", "CODEMODE_EXECUTOR_API_KEY"); err != nil {
					return exitOther, err
				}
				log := slog.New(slog.NewTextHandler(io.err, &slog.HandlerOptions{Level: cfg.LogLevel}))
				for _, line := range config.UnknownVariables(os.Environ()) {
					log.Warn(line)
				}
				if err := serve(cfg, log); err != nil {
					return exitOther, err
				}
				return exitOK, nil
			}
		},
	}
}

// serve runs an executor until it is told to stop; then the error is nil.
func serve(cfg config.SidecarConfig, log *slog.Logger) error {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	listener, err := listen(cfg)
	if err != nil {
		return err
	}
	// Whoever connects already now waits until the sandbox stands.
	starting, cancel := context.WithCancel(context.Background())
	defer cancel()
	started := make(chan struct{})
	var server *sidecar.Server
	go func() {
		defer close(started)
		server, err = sidecar.New(starting, cfg, log)
	}()
	select {
	case <-started:
	case received := <-signals:
		log.Info("stopping before the start", "signal", received.String())
		cancel()
		<-started
		if err == nil {
			err = server.Close()
		} else if fault.CodeOf(err) == fault.Cancelled {
			err = nil
		}
		return errors.Join(err, listener.Close())
	}
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	announce(log, listener, cfg, server)
	return serveUntil(signals, server, listener, cfg.Limits.CodeTimeout+time.Second, log)
}

// serveUntil serves until the first signal, and then lets what runs come to its end,
// for as long as patience or until the second.
func serveUntil(signals <-chan os.Signal, server *sidecar.Server, listener net.Listener, patience time.Duration, log *slog.Logger) error {
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return errors.Join(fmt.Errorf("the executor stopped: %w", err), server.Close())
	case received := <-signals:
		log.Info("stopping: what runs may come to its end; a second signal cuts it off",
			"signal", received.String(), "at_most", patience)
	}
	draining, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	finished := make(chan struct{})
	defer close(finished)
	go func() {
		select {
		case received := <-signals:
			log.Warn("stopping at once", "signal", received.String())
			cancel()
		case <-finished:
		}
	}()
	err := server.Shutdown(draining)
	if served := <-served; served != nil {
		err = errors.Join(err, served)
	}
	log.Info("stopped")
	return err
}

// announce tells what serves and what holds programs in.
func announce(log *slog.Logger, listener net.Listener, cfg config.SidecarConfig, server *sidecar.Server) {
	address := "http://" + listener.Addr().String()
	if cfg.TLS.Enabled {
		address = "https://" + listener.Addr().String()
		log.Info("TLS 1.3", "certificate", cfg.TLS.CertFile, "client_auth", cfg.TLS.ClientAuth)
	}
	if cfg.Exposed() {
		log.Warn("programs, results and API keys cross the network unencrypted; codemode tls generate-certs and grpc.tls.enabled change that")
	}
	if cfg.Socket != "" {
		address = "unix://" + cfg.Socket
	}
	for _, layer := range server.Layers() {
		switch {
		case !layer.InForce:
			log.Info("sandbox layer not in force", "layer", layer.Name, "why", layer.Detail)
		case layer.Detail == "":
			log.Info("sandbox layer in force", "layer", layer.Name)
		default:
			log.Info("sandbox layer in force", "layer", layer.Name, "detail", layer.Detail)
		}
	}
	if cfg.Sandbox.Require == config.RequireUnsafeNone {
		log.Warn("programs run even without isolation: executor.sandbox.require is " + config.RequireUnsafeNone)
	}
	log.Info("executor ready", "address", address, "python", server.Python(), "version", version.String(),
		"api_keys", len(cfg.APIKeys), "max_workers", cfg.Pool.MaxWorkers)
}

func listen(cfg config.SidecarConfig) (net.Listener, error) {
	if cfg.Socket != "" {
		return listenUnix(cfg.Socket, cfg.SocketMode)
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(cfg.Host, strconv.Itoa(cfg.Port)))
	if err != nil {
		return nil, fault.Wrap(fault.Config, err, "the executor has nowhere to listen").
			WithRemedy("choose another --host or --port")
	}
	return listener, nil
}
