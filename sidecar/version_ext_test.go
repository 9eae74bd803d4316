//go:build linux

package sidecar_test

import (
	"context"
	_ "embed"
	"net"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/executorclient"
	"github.com/codemode-sdk/codemode/executorclient/toolservice"
	"github.com/codemode-sdk/codemode/internal/fault"
	codemodev1 "github.com/codemode-sdk/codemode/internal/gen/codemode/v1"
	"github.com/codemode-sdk/codemode/registry"
)

//go:embed testdata/protocol-1.binpb
var firstProtocol []byte

// first makes messages of the first version of the wire, as its descriptors were recorded:
// what was added since is unknown to them.
func first(t *testing.T) func(name string, content string) *dynamicpb.Message {
	t.Helper()
	set := &descriptorpb.FileDescriptorSet{}
	if err := proto.Unmarshal(firstProtocol, set); err != nil {
		t.Fatal(err)
	}
	files, err := protodesc.NewFiles(set)
	if err != nil {
		t.Fatal(err)
	}
	return func(name, wire string) *dynamicpb.Message {
		d, err := files.FindDescriptorByName(protoreflect.FullName("codemode.v1." + name))
		if err != nil {
			t.Fatal(err, protoregistry.NotFound)
		}
		m := dynamicpb.NewMessage(d.(protoreflect.MessageDescriptor))
		if err := proto.Unmarshal([]byte(wire), m); err != nil {
			t.Fatal(err)
		}
		return m
	}
}

// wire is a message as bytes.
func wire(t *testing.T, m proto.Message) string {
	t.Helper()
	data, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

var executeDesc = &grpc.StreamDesc{StreamName: "Execute", ServerStreams: true, ClientStreams: true}

// An application that was built before anything was added runs its programs and answers
// their calls on the executor of today.
func TestAnOlderClientStillWorks(t *testing.T) {
	besideOthers(t)
	message := first(t)
	address := listen(t, start(t, func(*config.SidecarConfig) {}))
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	stream, err := conn.NewStream(t.Context(), executeDesc, codemodev1.ExecutorService_Execute_FullMethodName)
	if err != nil {
		t.Fatal(err)
	}
	send := func(m *codemodev1.ExecuteRequest) {
		if err := stream.SendMsg(message("ExecuteRequest", wire(t, m))); err != nil {
			t.Fatal(err)
		}
	}
	send(&codemodev1.ExecuteRequest{Message: &codemodev1.ExecuteRequest_Start{Start: &codemodev1.Start{
		Code: "print('x' * 300_000)\nlen(tools.get(n=1)) + 1", Tools: []*codemodev1.Tool{{Name: "get", Parameters: []*codemodev1.Parameter{{Name: "n"}}}},
	}}})
	for {
		m := message("ExecuteResponse", "")
		if err := stream.RecvMsg(m); err != nil {
			t.Fatal(err)
		}
		if unknown := m.GetUnknown(); len(unknown) > 0 {
			t.Fatalf("a message that the older client does not know: %x", unknown)
		}
		got := &codemodev1.ExecuteResponse{}
		if err := proto.Unmarshal([]byte(wire(t, m)), got); err != nil {
			t.Fatal(err)
		}
		if call := got.GetToolCall(); call != nil {
			// More than today's client would put into one message.
			send(&codemodev1.ExecuteRequest{Message: &codemodev1.ExecuteRequest_ToolResult{ToolResult: &codemodev1.ToolResult{
				Id: call.GetId(), Outcome: &codemodev1.ToolResult_Value{Value: []byte(`"` + strings.Repeat("y", 1<<20) + `"`)},
			}}})
		}
		if result := got.GetResult(); result != nil {
			if string(result.GetValue()) != "1048577" {
				t.Errorf("%s %v", result.GetValue(), result.GetError())
			}
			return
		}
	}
}

// An application of today runs its programs on an executor that was built before anything
// was added, callback mode included, which that does not know.
func TestAnOlderExecutorStillWorks(t *testing.T) {
	besideOthers(t)
	message := first(t)
	older := func(_ any, stream grpc.ServerStream) error {
		begin := message("ExecuteRequest", "")
		if err := stream.RecvMsg(begin); err != nil {
			return err
		}
		for _, m := range []*codemodev1.ExecuteResponse{
			{Message: &codemodev1.ExecuteResponse_Started{Started: &codemodev1.Started{ExecutionId: "old"}}},
			{Message: &codemodev1.ExecuteResponse_ToolCall{ToolCall: &codemodev1.ToolCall{Id: 1, Tool: "double", Arguments: []byte(`{"X":21}`)}}},
		} {
			if err := stream.SendMsg(message("ExecuteResponse", wire(t, m))); err != nil {
				return err
			}
		}
		answer, got := message("ExecuteRequest", ""), &codemodev1.ExecuteRequest{}
		if err := stream.RecvMsg(answer); err != nil {
			return err
		}
		if err := proto.Unmarshal([]byte(wire(t, answer)), got); err != nil {
			return err
		}
		return stream.SendMsg(message("ExecuteResponse", wire(t, &codemodev1.ExecuteResponse{Message: &codemodev1.ExecuteResponse_Result{
			Result: &codemodev1.Result{Status: codemodev1.Status_STATUS_OK, Value: got.GetToolResult().GetValue()},
		}})))
	}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.UnknownServiceHandler(older))
	go func() { _ = server.Serve(listener) }() // its error is that it was stopped
	t.Cleanup(server.Stop)
	calls := called(t, toolservice.Options{}, nil).callback
	for name, callback := range map[string]*executorclient.Callback{"stream": nil, "callback": &calls.Callback} {
		client := dial(t, executorclient.Options{Address: "http://" + listener.Addr().String(), Callback: callback})
		got, err := client.Execute(t.Context(), executorclient.Request{Code: "tools.double(X=21)", Tools: doubling(t)})
		if err != nil || got.Value != int64(42) || len(got.ToolCalls) != 1 {
			t.Errorf("%s: %v, %v", name, got.Value, err)
		}
	}
}

// asker is an executor that says what it knows, and keeps what it is sent.
type asker struct {
	codemodev1.UnimplementedExecutorServiceServer
	info, run []codemodev1.Feature
	silent    bool
	sent      []*codemodev1.Start
}

func (a *asker) Info(context.Context, *codemodev1.InfoRequest) (*codemodev1.InfoResponse, error) {
	if a.silent {
		return nil, status.Error(codes.Unimplemented, "no")
	}
	return &codemodev1.InfoResponse{Features: a.info}, nil
}

func (a *asker) Execute(stream grpc.BidiStreamingServer[codemodev1.ExecuteRequest, codemodev1.ExecuteResponse]) error {
	m, err := stream.Recv()
	if err != nil {
		return err
	}
	a.sent = append(a.sent, m.GetStart())
	for _, m := range []*codemodev1.ExecuteResponse{
		{Message: &codemodev1.ExecuteResponse_Started{Started: &codemodev1.Started{Features: a.run}}},
		{Message: &codemodev1.ExecuteResponse_Result{Result: &codemodev1.Result{Status: codemodev1.Status_STATUS_OK}}},
	} {
		if err := stream.Send(m); err != nil {
			return err
		}
	}
	return nil
}

// A program may call tools that its text does not mention. An executor that does not ask
// for them gets them all with it, and one that does only those that are mentioned.
func TestAnExecutorThatDoesNotAskForToolsGetsThemAll(t *testing.T) {
	asks := []codemodev1.Feature{codemodev1.Feature_FEATURE_MORE_TOOLS}
	for name, test := range map[string]struct {
		executor *asker
		tools    []int // of one run after another
	}{
		"it asks":                           {&asker{info: asks, run: asks}, []int{1, 1}},
		"it does not":                       {&asker{}, []int{2, 2}},
		"nobody knows before the first":     {&asker{silent: true, run: asks}, []int{2, 1}},
		"another one is behind the name":    {&asker{info: asks}, []int{1, 2}},
		"replaced by one that asks, lately": {&asker{run: asks}, []int{2, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			server := grpc.NewServer()
			codemodev1.RegisterExecutorServiceServer(server, test.executor)
			go func() { _ = server.Serve(listener) }() // its error is that it was stopped
			defer server.Stop()
			tools := doubling(t)
			if err := tools.Add(registry.Tool{Name: "halve"}); err != nil {
				t.Fatal(err)
			}
			client := dial(t, executorclient.Options{Address: "http://" + listener.Addr().String()})
			for i, want := range test.tools {
				if _, err := client.Execute(t.Context(), executorclient.Request{Code: "tools['dou' + 'ble'].run; tools.halve; help(tools)", Tools: tools}); err != nil {
					t.Fatal(err)
				}
				got := test.executor.sent[i].GetTools()
				if len(got) != want || want == 2 && got[0].GetStub() == "" || !test.executor.sent[i].GetMoreTools() {
					t.Errorf("run %d came with %v", i, got)
				}
			}
		})
	}
}

// A client from a future that this executor has no part in is refused in words, and
// nothing runs.
func TestNoCommonVersionIsSaid(t *testing.T) {
	besideOthers(t)
	service := codemodev1.NewExecutorServiceClient(serve(t))
	stream, err := service.Execute(withKey(t.Context(), "Bearer new-key"))
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(&codemodev1.ExecuteRequest{Message: &codemodev1.ExecuteRequest_Start{Start: &codemodev1.Start{
		Code: "1", Protocol: 9, OldestProtocol: 7, Version: "v9.0.1",
	}}}); err != nil {
		t.Fatal(err)
	}
	_, err = stream.Recv()
	if status.Code(err) != codes.FailedPrecondition || !strings.Contains(err.Error(), "codemode v9.0.1) speaks wire versions 7 to 9") ||
		!strings.Contains(err.Error(), "1 to 1: update the executor") {
		t.Errorf("got %v", err)
	}
}

// refuser is an executor that refuses what it is sent, and counts.
type refuser struct {
	codemodev1.UnimplementedExecutorServiceServer
	answer func(grpc.BidiStreamingServer[codemodev1.ExecuteRequest, codemodev1.ExecuteResponse]) error
}

func (r refuser) Execute(stream grpc.BidiStreamingServer[codemodev1.ExecuteRequest, codemodev1.ExecuteResponse]) error {
	if _, err := stream.Recv(); err != nil {
		return err
	}
	return r.answer(stream)
}

// A run is sent again exactly where an executor vouches that it did not start it.
func TestOnlyWhatDidNotStartIsSentAgain(t *testing.T) {
	vouch := func(stream grpc.ServerStream) { stream.SetTrailer(map[string][]string{"codemode-not-started": {"1"}}) }
	for name, test := range map[string]struct {
		code     codes.Code
		vouched  bool
		attempts int
		started  bool
	}{
		"shutting down":                {code: codes.Unavailable, vouched: true, attempts: 4},
		"lost, who knows when":         {code: codes.Unavailable, attempts: 1, started: true},
		"busy, and there is only one":  {code: codes.ResourceExhausted, vouched: true, attempts: 1},
		"a program that cannot be run": {code: codes.InvalidArgument, vouched: true, attempts: 1},
		"a wrong key":                  {code: codes.Unauthenticated, attempts: 1},
	} {
		t.Run(name, func(t *testing.T) {
			attempts := 0
			listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			server := grpc.NewServer()
			codemodev1.RegisterExecutorServiceServer(server, refuser{answer: func(stream grpc.BidiStreamingServer[codemodev1.ExecuteRequest, codemodev1.ExecuteResponse]) error {
				attempts++
				if test.vouched {
					vouch(stream)
				}
				return status.Error(test.code, "no")
			}})
			go func() { _ = server.Serve(listener) }() // its error is that it was stopped
			defer server.Stop()
			_, err = dial(t, executorclient.Options{Address: "http://" + listener.Addr().String()}).Execute(context.Background(), executorclient.Request{Code: "1"})
			failure := new(fault.Error)
			if f, ok := err.(*fault.Error); ok { //nolint:errorlint // Execute's own
				failure = f
			}
			if err == nil || attempts != test.attempts || failure.Started != test.started {
				t.Errorf("%d attempts, started %v: %v", attempts, failure.Started, err)
			}
		})
	}
}
