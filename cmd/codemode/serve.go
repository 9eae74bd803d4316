package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"strconv"

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
come to its end, for as long as executor.server.drain_timeout; a second one cuts it off.
SIGHUP reads the configuration again: keys, executor.server.drain_timeout, log.level and
log.audit take effect. The exit status is 0 if nothing was cut off, else 2.`,
		prepare: func(flags *flagSet, std stdio) func([]string) (int, error) {
			flags.String("host", "", "listen on `HOST`")
			flags.String("port", "", "listen on `PORT`; 0 takes any free one")
			flags.String("socket", "", "listen on a unix socket at `PATH` in place of a port")
			flags.String("http", "", "answer /healthz, /readyz and /metrics on `ADDRESS`, such as :8002")
			file := flags.String("config", "", "configure from `FILE` in place of codemode.yaml")
			return func(args []string) (int, error) {
				if err := none(args); err != nil {
					return exitOther, err
				}
				tcp := flags.given("host") || flags.given("port")
				if tcp && flags.given("socket") {
					return exitOther, errors.New("--socket does not go with --host and --port: listen on one or the other")
				}
				overrides := flags.overrides(map[string]string{
					"host": "executor.server.host", "port": "executor.server.port", "socket": "executor.server.socket",
					"http": "executor.server.http_address",
				})
				loaded, err := config.LoadSidecar(*file, overrides...)
				if err != nil {
					return exitOther, err
				}
				if tcp {
					loaded.Executor.Server.Socket = "" // the flag comes before the file's socket
				}
				if err := loaded.Sidecar().Validate(); err != nil {
					return exitOther, err
				}
				if err := serve(loaded, overrides, std.err); err != nil {
					return exitOther, err
				}
				return exitOK, nil
			}
		},
	}
}

// serve runs an executor until it is told to stop; then the error is nil, unless that cut
// something off.
func serve(loaded *config.Config, overrides []config.Override, to io.Writer) error {
	cfg := loaded.Sidecar()
	log, level := newLogger(to, cfg)
	for _, line := range config.UnknownVariables(os.Environ()) {
		log.Warn(line)
	}
	stopTracing, err := startTracing(context.Background(), log)
	if err != nil {
		return err
	}
	defer stopTracing()
	hidden, err := hideSecrets(append(tracingSecrets, "CODEMODE_API_KEY", "CODEMODE_EXECUTOR_API_KEY")...)
	if err != nil {
		return err
	}
	reload := &reloader{overrides: overrides, hidden: hidden, running: loaded, latest: loaded, level: level, log: log}
	s := newSignals()
	defer s.stop()
	probes, err := serveProbes(cfg.HTTPAddress, log)
	if err != nil {
		return err
	}
	listener, err := listen(cfg)
	if err != nil {
		return errors.Join(err, probes.close())
	}
	server, err := start(s, cfg, log)
	if server == nil {
		return errors.Join(err, listener.Close(), probes.close())
	}
	probes.started(server)
	announce(log, listener, cfg, server)
	return errors.Join(s.serve(server, listener, reload, log), probes.close())
}

// start makes the executor. Whoever connects already now waits until it stands. Where a
// signal comes first, there is neither an executor nor an error.
func start(s *signals, cfg config.SidecarConfig, log *slog.Logger) (*sidecar.Server, error) {
	starting, cancel := context.WithCancel(context.Background())
	defer cancel()
	started := make(chan struct{})
	var server *sidecar.Server
	var err error
	go func() {
		defer close(started)
		server, err = sidecar.New(starting, cfg, log)
	}()
	select {
	case <-started:
		return server, err
	case received := <-s.end:
		log.Info("stopping before the start", "signal", received.String())
		cancel()
		<-started
		if err == nil {
			err = server.Close()
		} else if fault.CodeOf(err) == fault.Cancelled {
			err = nil
		}
		return nil, err
	}
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
		"api_keys", keyIDs(cfg), "max_workers", cfg.Pool.MaxWorkers)
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
