//go:build linux

package sidecar_test

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"

	"github.com/codemode-sdk/codemode/config"
	codemodev1 "github.com/codemode-sdk/codemode/internal/gen/codemode/v1"
)

// serve serves an executor with two keys on a unix socket, and connects to it as any
// gRPC client would.
func serve(t *testing.T) *grpc.ClientConn {
	t.Helper()
	e := start(t, func(c *config.SidecarConfig) {
		c.APIKeys = []config.Secret{config.NewSecret("old-key"), config.NewSecret("new-key")}
		c.Limits.MaxCodeLength = 1000
	})
	socket := listenOn(t, e, "unix", filepath.Join(t.TempDir(), "s"))
	conn, err := grpc.NewClient("unix://"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	})
	return conn
}

func withKey(ctx context.Context, value string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "authorization", value)
}

// A key admits, whichever of the valid ones it is; nothing else does; probes need none.
func TestOnlyKeysAdmit(t *testing.T) {
	besideOthers(t)
	conn := serve(t)
	service := codemodev1.NewExecutorServiceClient(conn)
	for value, want := range map[string]codes.Code{
		"Bearer new-key": codes.OK, "Bearer old-key": codes.OK, "bearer new-key": codes.OK,
		"Bearer wrong": codes.Unauthenticated, "Bearer ": codes.Unauthenticated, "new-key": codes.Unauthenticated,
		"Basic new-key": codes.Unauthenticated, "": codes.Unauthenticated, "Bearer new-key ": codes.Unauthenticated,
	} {
		_, err := service.Info(withKey(t.Context(), value), &codemodev1.InfoRequest{})
		if status.Code(err) != want {
			t.Errorf("%q: %v", value, err)
		}
	}
	stream, err := service.Execute(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); status.Code(err) != codes.Unauthenticated {
		t.Errorf("Execute without a key: %v", err)
	}
	if got, err := healthv1.NewHealthClient(conn).Check(t.Context(), &healthv1.HealthCheckRequest{}); err != nil || got.GetStatus() != healthv1.HealthCheckResponse_SERVING {
		t.Errorf("health: %v %v", got, err)
	}
	if got, err := service.Ready(t.Context(), &codemodev1.ReadyRequest{}); err != nil || !got.GetReady() {
		t.Errorf("ready: %v %v", got, err)
	}
}

// Tools that know gRPC find out what the executor speaks.
func TestReflectionNamesTheService(t *testing.T) {
	besideOthers(t)
	stream, err := reflectionv1.NewServerReflectionClient(serve(t)).ServerReflectionInfo(withKey(t.Context(), "Bearer new-key"))
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(&reflectionv1.ServerReflectionRequest{
		MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{},
	}); err != nil {
		t.Fatal(err)
	}
	answer, err := stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, service := range answer.GetListServicesResponse().GetService() {
		names = append(names, service.GetName())
	}
	if !slices.Contains(names, "codemode.v1.ExecutorService") {
		t.Errorf("services: %v", names)
	}
}

// A client that is not ours gets words, and nothing runs.
func TestRequestsThatCannotWorkAreRefused(t *testing.T) {
	besideOthers(t)
	service := codemodev1.NewExecutorServiceClient(serve(t))
	many := make([]*codemodev1.Tool, 10_001)
	for i := range many {
		many[i] = &codemodev1.Tool{Name: "t"}
	}
	start := func(s *codemodev1.Start) *codemodev1.ExecuteRequest {
		return &codemodev1.ExecuteRequest{Message: &codemodev1.ExecuteRequest_Start{Start: s}}
	}
	for want, request := range map[string]*codemodev1.ExecuteRequest{
		"first message":      {Message: &codemodev1.ExecuteRequest_Cancel{Cancel: &codemodev1.Cancel{}}},
		"max_code_length":    start(&codemodev1.Start{Code: strings.Repeat("é", 1001)}),
		"execution_id":       start(&codemodev1.Start{ExecutionId: "a b"}),
		"10001 tools":        start(&codemodev1.Start{Tools: many}),
		"a tool's name has":  start(&codemodev1.Start{Tools: []*codemodev1.Tool{{}}}),
		"has 1001 parameter": start(&codemodev1.Start{Tools: []*codemodev1.Tool{{Name: "t", Parameters: make([]*codemodev1.Parameter, 1001)}}}),
	} {
		stream, err := service.Execute(withKey(t.Context(), "Bearer new-key"))
		if err != nil {
			t.Fatal(err)
		}
		if err := stream.Send(request); err != nil {
			t.Fatal(err)
		}
		_, err = stream.Recv()
		if status.Code(err) != codes.InvalidArgument || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q: %v", want, err)
		}
	}
}

// A client of the first version, which names no features, gets each value in one message.
func TestAnOlderClientGetsWholeValues(t *testing.T) {
	besideOthers(t)
	service := codemodev1.NewExecutorServiceClient(serve(t))
	stream, err := service.Execute(withKey(t.Context(), "Bearer new-key"))
	if err != nil {
		t.Fatal(err)
	}
	err = stream.Send(&codemodev1.ExecuteRequest{Message: &codemodev1.ExecuteRequest_Start{Start: &codemodev1.Start{
		Code: "tools.echo(x='y' * 1000000)", Tools: []*codemodev1.Tool{{Name: "echo", ExtraArguments: true}},
	}}})
	for err == nil {
		var response *codemodev1.ExecuteResponse
		if response, err = stream.Recv(); err != nil {
			break
		}
		switch m := response.GetMessage().(type) {
		case *codemodev1.ExecuteResponse_Started:
		case *codemodev1.ExecuteResponse_ToolCall:
			if n := len(m.ToolCall.GetArguments()); n < 1_000_000 || m.ToolCall.GetMore() {
				t.Errorf("the call has %d bytes", n)
			}
			err = stream.Send(&codemodev1.ExecuteRequest{Message: &codemodev1.ExecuteRequest_ToolResult{ToolResult: &codemodev1.ToolResult{
				Id: m.ToolCall.GetId(), Outcome: &codemodev1.ToolResult_Value{Value: m.ToolCall.GetArguments()},
			}}})
		case *codemodev1.ExecuteResponse_Result:
			if n := len(m.Result.GetValue()); m.Result.GetStatus() != codemodev1.Status_STATUS_OK || n < 1_000_000 {
				t.Errorf("%v, a result of %d bytes", m.Result.GetStatus(), n)
			}
			return
		default:
			t.Errorf("a message that such a client does not know: %T", m)
		}
	}
	t.Fatal(err)
}
