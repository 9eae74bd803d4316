package codemode

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/executorclient"
	"github.com/codemode-sdk/codemode/executorclient/toolservice"
	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/registry"
)

// A toolServer is the tool service that the configuration asks for: callback mode.
type toolServer struct {
	executorclient.Callback
	serving sync.WaitGroup
}

// serveTools listens where the configuration says, until close. It gives nil where that
// asks for no callback mode, or the executor is in this process.
func serveTools(ctx context.Context, client config.ClientConfig, tools *registry.Registry, log *slog.Logger) (*toolServer, error) {
	if client.CallbackListen == "" || client.Embedded() {
		return nil, nil
	}
	options := toolservice.Options{Registry: tools, Logger: log}
	if key := client.CallbackAPIKey.Reveal(); key != "" {
		options.APIKeys = []string{key}
	}
	if client.SecureCallback() {
		options.TLS = &toolservice.TLS{
			CertFile: client.TLSClientCertPath, KeyFile: client.TLSClientKeyPath, CAFile: client.TLSCAPath,
		}
	}
	service, err := toolservice.New(options)
	if err != nil {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", client.CallbackListen)
	if err != nil {
		return nil, errors.Join(fault.Wrap(fault.Config, err, "the tools cannot be served at executor.callback.listen").
			WithRemedy("end what listens there, or choose another port"), service.Close())
	}
	s := &toolServer{Callback: executorclient.Callback{Service: service, Address: client.CallbackURL}}
	s.serving.Go(func() {
		if err := service.Serve(listener); err != nil && log != nil {
			log.Error("tools are no longer served at executor.callback.listen", "error", err)
		}
	})
	return s, nil
}

func (s *toolServer) close() error {
	if s == nil {
		return nil
	}
	err := s.Service.Close()
	s.serving.Wait()
	return err
}
