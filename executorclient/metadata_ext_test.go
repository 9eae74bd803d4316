package executorclient_test

import (
	"context"
	"net"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	codemodev1 "github.com/codemode-sdk/codemode/internal/gen/codemode/v1"
)

// headers is an executor that keeps what it was sent as metadata.
type headers struct {
	codemodev1.UnimplementedExecutorServiceServer
	got metadata.MD
}

func (h *headers) Info(ctx context.Context, _ *codemodev1.InfoRequest) (*codemodev1.InfoResponse, error) {
	h.got, _ = metadata.FromIncomingContext(ctx)
	return &codemodev1.InfoResponse{}, nil
}

// An application that is itself a gRPC service may hold its callers' credentials in ctx.
func TestTheApplicationsOwnMetadataStaysWithIt(t *testing.T) {
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	executor, server := &headers{}, grpc.NewServer()
	codemodev1.RegisterExecutorServiceServer(server, executor)
	served := make(chan error)
	go func() { served <- server.Serve(listener) }()
	ctx := metadata.AppendToOutgoingContext(t.Context(), "x-tenant", "acme", "authorization", "Bearer theirs")
	if _, err := dial(t, "http://"+listener.Addr().String()).Info(ctx); err != nil {
		t.Error(err)
	}
	server.Stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
	if len(executor.got.Get("x-tenant"))+len(executor.got.Get("authorization")) > 0 {
		t.Errorf("the executor was sent %v", executor.got)
	}
	if len(executor.got.Get("user-agent")) == 0 {
		t.Errorf("the executor kept nothing: %v", executor.got)
	}
}
