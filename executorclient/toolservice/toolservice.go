package toolservice

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	"github.com/codemode-sdk/codemode/internal/apikey"
	"github.com/codemode-sdk/codemode/internal/fault"
	codemodev1 "github.com/codemode-sdk/codemode/internal/gen/codemode/v1"
	"github.com/codemode-sdk/codemode/internal/tlsfiles"
	"github.com/codemode-sdk/codemode/registry"
)

// DefaultAddress is where applications usually serve their tools.
const DefaultAddress = ":50051"

// Options say how tools are served. They are copied by New.
type Options struct {
	// Registry is what holders of an API key are shown, without being able to call it. If
	// nil, nothing.
	Registry *registry.Registry
	// APIKeys are asked for besides the capability, any one of them. If there is none here
	// or in APIKeysFile, none is asked for.
	APIKeys []string
	// APIKeysFile is a file with further keys, one in a line, which is read again when it
	// changes. If empty, there is none.
	APIKeysFile string
	// TLS says how Serve encrypts. If nil, it does not.
	TLS *TLS
	// MaxMessageBytes bounds one message that Serve takes. If zero, 64 MiB.
	MaxMessageBytes int
	// Logger is told of refused connections, and of files that changed and cannot be used.
	// If nil, nobody is.
	Logger *slog.Logger
}

// TLS says how the service is encrypted; TLS before 1.3 is never spoken.
type TLS struct {
	// Config is used in place of all that follows. If nil, the files are.
	Config *tls.Config
	// CertFile and KeyFile are the service's certificate and its private key, in PEM. They
	// are read again when they change.
	CertFile, KeyFile string
	// CAFile holds the authorities from which the executor's certificate must come, in PEM.
	// If empty, executors need none.
	CAFile string
}

const defaultMaxMessage = 64 << 20

// A Server serves tools to executors. It is safe for use by many goroutines.
type Server struct {
	codemodev1.UnimplementedToolServiceServer

	registry *registry.Registry
	keys     *apikey.Keyring
	source   *tlsfiles.Source // nil if TLS is not by files
	grpc     *grpc.Server

	mu     sync.Mutex
	grants map[digest]*grant
	closed bool
}

// New makes a Server. An error has code fault.Config: a file of keys or certificates
// cannot be used.
func New(o Options) (*Server, error) {
	log := o.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &Server{registry: o.Registry, grants: map[digest]*grant{}}
	for _, key := range o.APIKeys {
		if err := apikey.Check(key); err != nil {
			return nil, fault.New(fault.Config, "an API key of the tool service %s", err)
		}
	}
	var err error
	s.keys, err = apikey.NewKeyring(o.APIKeys, o.APIKeysFile, func(err error) {
		log.Error("the file with the tool service's API keys cannot be used; the keys before it stay", "error", err)
	})
	if err != nil {
		return nil, fault.Wrap(fault.Config, err, "the tool service's API keys cannot be read")
	}
	limit := cmp.Or(o.MaxMessageBytes, defaultMaxMessage)
	options := []grpc.ServerOption{
		grpc.MaxRecvMsgSize(limit), grpc.MaxSendMsgSize(limit), grpc.WaitForHandlers(true),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: 5 * time.Minute, Timeout: 20 * time.Second}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Minute, PermitWithoutStream: true}),
	}
	if o.TLS != nil {
		refused := func(address net.Addr, err error) {
			log.Warn("a TLS connection was refused", "from", address.String(), "error", err)
		}
		if o.TLS.Config != nil {
			options = append(options, grpc.Creds(tlsfiles.ServerOf(o.TLS.Config, refused)))
		} else {
			s.source, err = tlsfiles.Load(tlsfiles.Files{Cert: o.TLS.CertFile, Key: o.TLS.KeyFile, CA: o.TLS.CAFile}, func(err error) {
				log.Error("a TLS file changed and cannot be used; what was there before is", "error", err)
			})
			if err == nil && o.TLS.CertFile == "" {
				err = errors.New("a service needs a certificate")
			}
			if err != nil {
				return nil, fault.Wrap(fault.Config, err, "the tool service's TLS files cannot be used").
					WithRemedy("codemode tls generate-certs --client-host NAME makes a set")
			}
			options = append(options, grpc.Creds(s.source.Server(o.TLS.CAFile != "", refused)))
		}
	}
	s.grpc = grpc.NewServer(options...)
	s.Register(s.grpc)
	return s, nil
}

// Register adds the service to a gRPC server of the caller's own, whose options then
// count in place of TLS and MaxMessageBytes. Keys and capabilities are checked all the
// same.
func (s *Server) Register(server grpc.ServiceRegistrar) {
	codemodev1.RegisterToolServiceServer(server, s)
}

// Serve answers executors on a listener until Close.
func (s *Server) Serve(listener net.Listener) error { return s.grpc.Serve(listener) }

// ListenAndServe is Serve on a TCP address; DefaultAddress if it is empty.
func (s *Server) ListenAndServe(address string) error {
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", cmp.Or(address, DefaultAddress))
	if err != nil {
		return fault.Wrap(fault.Config, err, "the tool service has nowhere to listen")
	}
	return s.Serve(listener)
}

// Reload reads the files with certificates and API keys again, changed or not, and says
// which cannot be used; what was read from those before stays in use. Changes are noticed
// without it as well.
func (s *Server) Reload() error {
	err := s.keys.Reload()
	if s.source != nil {
		err = errors.Join(err, s.source.Reload())
	}
	if err != nil {
		return fault.Wrap(fault.Config, err, "not all files of the tool service could be read again")
	}
	return nil
}

// Close ends the connections of Serve, makes every capability worthless, and waits for
// what was being answered.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	grants := s.grants
	s.grants = map[digest]*grant{}
	s.mu.Unlock()
	for _, g := range grants {
		g.cancel()
	}
	s.grpc.Stop()
	return nil
}
