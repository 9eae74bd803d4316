package sidecar

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/internal/apikey"
	"github.com/codemode-sdk/codemode/internal/fault"
	codemodev1 "github.com/codemode-sdk/codemode/internal/gen/codemode/v1"
	"github.com/codemode-sdk/codemode/internal/tlsfiles"
)

// admission says who may call: keys, and certificates where TLS is on.
type admission struct {
	keys atomic.Pointer[apikey.Keyring]
	tls  *tlsfiles.Source // nil without TLS
	cfg  config.ServerTLS
	log  *slog.Logger
	// turnedAway is told of executions that were refused here.
	turnedAway func(record *Record, reason string)
}

func newAdmission(cfg config.SidecarConfig, log *slog.Logger) (*admission, error) {
	a := &admission{cfg: cfg.TLS, log: log}
	if err := a.readKeys(cfg); err != nil {
		return nil, fault.Wrap(fault.Config, err, "the API keys cannot be read").WithRemedy("set executor.server.api_keys_file to a file with keys, one in a line")
	}
	var err error
	if !cfg.TLS.Enabled {
		return a, nil
	}
	a.tls, err = tlsfiles.Load(tlsfiles.Files{Cert: cfg.TLS.CertFile, Key: cfg.TLS.KeyFile, CA: cfg.TLS.CAFile}, func(err error) {
		log.Error("a TLS file changed and cannot be used; what was there before is", "error", err)
	})
	if err != nil {
		return nil, fault.Wrap(fault.Config, err, "the executor's TLS files cannot be used").
			WithRemedy("codemode tls generate-certs makes a set")
	}
	return a, nil
}

// readKeys replaces the keys for calls from now on; those that were admitted go on.
func (a *admission) readKeys(cfg config.SidecarConfig) error {
	keys := make([]string, len(cfg.APIKeys))
	for i, key := range cfg.APIKeys {
		keys[i] = key.Reveal()
	}
	ring, err := apikey.NewKeyring(keys, cfg.APIKeysFile, func(err error) {
		a.log.Error("the file with API keys changed and cannot be used; the keys before it stay", "error", err)
	})
	if err == nil {
		a.keys.Store(ring)
	}
	return err
}

func (a *admission) reload(cfg config.SidecarConfig) error {
	err := a.readKeys(cfg)
	if a.tls != nil {
		err = errors.Join(err, a.tls.Reload())
	}
	if err != nil {
		return fault.Wrap(fault.Config, err, "not all files could be read again")
	}
	return nil
}

// options are those of the gRPC server that is reached from outside.
func (a *admission) options() []grpc.ServerOption {
	options := []grpc.ServerOption{grpc.UnaryInterceptor(a.unary), grpc.StreamInterceptor(a.stream)}
	if a.tls != nil {
		options = append(options, grpc.Creds(a.tls.Server(a.cfg.ClientAuth == config.ClientAuthRequire, a.refused)))
	}
	return options
}

// refused tells of a connection that came to nothing.
func (a *admission) refused(address net.Addr, err error) {
	a.log.Warn("a TLS connection was refused", "from", address.String(), "error", err)
}

// open are the methods that probes call; they tell nothing about anyone's work.
var open = map[string]bool{
	"/grpc.health.v1.Health/Check":                   true,
	"/grpc.health.v1.Health/Watch":                   true,
	codemodev1.ExecutorService_Health_FullMethodName: true,
	codemodev1.ExecutorService_Ready_FullMethodName:  true,
}

// check admits a call, and says who made it.
func (a *admission) check(ctx context.Context, method string) (caller, error) {
	if open[method] {
		return caller{}, nil
	}
	md, _ := metadata.FromIncomingContext(ctx)
	keys, header := a.keys.Load(), md.Get(apikey.Header)
	if err := keys.Admit(header); err != nil {
		return caller{}, status.Error(codes.Unauthenticated, err.Error())
	}
	from := caller{outside: true}
	from.certificate, from.name = certificateOf(ctx)
	if !keys.Empty() {
		from.id, from.key = apikey.ID(header), apikey.Digest(header)
		from.name = from.id
	}
	return from, nil
}

func (a *admission) unary(ctx context.Context, request any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	caller, err := a.check(ctx, info.FullMethod)
	if err != nil {
		return nil, err
	}
	return next(withCaller(ctx, caller), request)
}

func (a *admission) stream(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	caller, err := a.check(stream.Context(), info.FullMethod)
	if err != nil {
		if info.FullMethod == codemodev1.ExecutorService_Execute_FullMethodName {
			a.turnedAway(&Record{Received: time.Now()}, RefusedUnauthenticated)
		}
		return err
	}
	return next(server, calledBy{stream, caller})
}

// newExecutionID makes an id for a run whose client named none.
func newExecutionID() string { return strings.ToLower(rand.Text()) }

func validExecutionID(id string) bool {
	if len(id) == 0 || len(id) > maxExecutionIDSize {
		return false
	}
	return !strings.ContainsFunc(id, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '-'
	})
}
