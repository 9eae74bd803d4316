package toolservice

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/codemode-sdk/codemode/internal/apikey"
	codemodev1 "github.com/codemode-sdk/codemode/internal/gen/codemode/v1"
	"github.com/codemode-sdk/codemode/registry"
)

// CapabilityHeader is the gRPC metadata that carries a capability.
const CapabilityHeader = "codemode-capability"

type digest [sha256.Size]byte

// A Stream is the executor's end of the tool calls of one execution.
type Stream interface {
	Context() context.Context
	Recv() (*codemodev1.CallToolRequest, error)
	Send(*codemodev1.CallToolResponse) error
}

// grant is what a capability is good for.
type grant struct {
	ctx     context.Context // ends with it
	cancel  context.CancelFunc
	tools   *registry.Registry
	attach  func(Stream) error
	streams sync.WaitGroup
}

// Grant makes a capability for the tool calls of one execution: whoever shows it is handed
// to attach, which returns when the stream ends or ctx does. It is worth nothing after ctx
// has ended, and after withdraw, which waits for attach. Client.Execute calls this for
// each execution.
func (s *Server) Grant(ctx context.Context, tools *registry.Registry, attach func(Stream) error) (capability string, withdraw func()) {
	var secret [32]byte
	_, _ = rand.Read(secret[:]) // never fails
	capability = base64.RawURLEncoding.EncodeToString(secret[:])
	key := digest(sha256.Sum256([]byte(capability)))
	g := &grant{tools: tools, attach: attach}
	g.ctx, g.cancel = context.WithCancel(ctx)
	s.mu.Lock()
	if s.closed {
		g.cancel()
	} else {
		s.grants[key] = g
	}
	s.mu.Unlock()
	return capability, func() {
		s.mu.Lock()
		delete(s.grants, key)
		s.mu.Unlock()
		g.cancel()
		g.streams.Wait()
	}
}

// admit checks the key, and finds the grant of the capability; nil if none was shown.
func (s *Server) admit(ctx context.Context) (*grant, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	if err := s.keys.Admit(md.Get(apikey.Header)); err != nil {
		return nil, status.Error(codes.Unauthenticated, err.Error())
	}
	shown := md.Get(CapabilityHeader)
	if len(shown) == 0 {
		return nil, nil
	}
	// The digest is what is looked up: how long that takes says nothing about a capability.
	key := digest(sha256.Sum256([]byte(shown[0])))
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.grants[key]
	if g == nil || g.ctx.Err() != nil {
		return nil, status.Error(codes.PermissionDenied, "the capability is of no running execution")
	}
	g.streams.Add(1)
	return g, nil
}

// CallTool implements the service.
func (s *Server) CallTool(stream codemodev1.ToolService_CallToolServer) error {
	g, err := s.admit(stream.Context())
	if err != nil {
		return err
	}
	if g == nil {
		return status.Error(codes.PermissionDenied, "tools are called with the capability of an execution: send metadata "+CapabilityHeader)
	}
	defer g.streams.Done()
	return g.attach(stream)
}
