package executorclient_test

import (
	"net"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/codemode-sdk/codemode/executorclient"
	"github.com/codemode-sdk/codemode/internal/fault"
	codemodev1 "github.com/codemode-sdk/codemode/internal/gen/codemode/v1"
	"github.com/codemode-sdk/codemode/internal/stalltest"
	"github.com/codemode-sdk/codemode/internal/waittest"
)

// stuck is an executor that never ends what it has started.
type stuck struct {
	codemodev1.UnimplementedExecutorServiceServer
	begun chan struct{}
}

func (s stuck) Execute(stream grpc.BidiStreamingServer[codemodev1.ExecuteRequest, codemodev1.ExecuteResponse]) error {
	if _, err := stream.Recv(); err != nil {
		return err
	}
	close(s.begun)
	<-stream.Context().Done()
	return nil
}

// An executor whose machine is gone, so that nothing comes from it any more and nothing
// says so, ends a run with an error, long before anybody would stop waiting.
func TestASilentExecutorIsNoticed(t *testing.T) {
	if testing.Short() {
		t.Skip("gRPC waits for 10 s at least")
	}
	executorclient.NoticeDeadExecutors(t, 10*time.Second)
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	executor := stuck{begun: make(chan struct{})}
	server := grpc.NewServer()
	codemodev1.RegisterExecutorServiceServer(server, executor)
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(listener) }) // its error is that it was stopped
	t.Cleanup(serving.Wait)
	t.Cleanup(server.Stop)
	proxy := stalltest.Start(t, listener.Addr().String())
	client := dial(t, "http://"+proxy.Address)
	done := make(chan error, 1)
	go func() {
		_, err := client.Execute(t.Context(), executorclient.Request{Code: "1"})
		done <- err
	}()
	<-executor.begun
	proxy.Stall()
	select {
	case err := <-done:
		if fault.CodeOf(err) != fault.Unavailable {
			t.Errorf("%v", err)
		}
	case <-time.After(waittest.Patience):
		t.Fatal("a run on an executor that is silent goes on and on")
	}
}
