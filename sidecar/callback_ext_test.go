//go:build linux

package sidecar_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/executorclient"
	"github.com/codemode-sdk/codemode/executorclient/toolservice"
	"github.com/codemode-sdk/codemode/internal/certtest"
	codemodev1 "github.com/codemode-sdk/codemode/internal/gen/codemode/v1"
	"github.com/codemode-sdk/codemode/registry"
)

// A callback is an application's tool service on a unix socket.
type callback struct {
	executorclient.Callback
	dir     string
	serving sync.WaitGroup
}

func newCallback(o toolservice.Options) (*callback, error) {
	service, err := toolservice.New(o)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "codemode-test-")
	if err != nil {
		return nil, err
	}
	socket := filepath.Join(dir, "tools")
	c := &callback{executorclient.Callback{Service: service, Address: "unix://" + socket}, dir, sync.WaitGroup{}}
	err = c.listen("unix", socket)
	return c, err
}

func (c *callback) listen(network, address string) error {
	listener, err := new(net.ListenConfig).Listen(context.Background(), network, address)
	if err != nil {
		return err
	}
	if network == "tcp" {
		c.Address = "https://" + listener.Addr().String()
	}
	c.serving.Go(func() { _ = c.Service.Serve(listener) }) // its error is that it was closed
	return nil
}

func (c *callback) close() error {
	if c == nil {
		return nil
	}
	err := c.Service.Close()
	c.serving.Wait()
	return errors.Join(err, os.RemoveAll(c.dir))
}

// called makes an executor and a tool service that know each other.
func called(t *testing.T, o toolservice.Options, change func(*config.SidecarConfig, *callback)) *executor {
	t.Helper()
	calls, err := newCallback(o)
	if err != nil {
		t.Fatal(err)
	}
	cfg := patient()
	cfg.Callback.Addresses = []string{calls.Address}
	if change != nil {
		change(&cfg, calls)
	}
	e, err := serveAndDial(cfg, calls)
	if err != nil {
		t.Fatal(errors.Join(err, calls.close()))
	}
	t.Cleanup(func() {
		if err := e.close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// doubling are the tools of these tests.
func doubling(t *testing.T) *registry.Registry {
	t.Helper()
	tools := registry.New()
	if err := registry.Func(tools, "double", "Doubles.", func(_ context.Context, in struct{ X int }) (int, error) {
		return 2 * in.X, nil
	}); err != nil {
		t.Fatal(err)
	}
	return tools
}

// Calls come by the other way, and nobody sees a difference: values, failures, parallel
// calls, events in their order, the record.
func TestCallbacksAreLikeTheStream(t *testing.T) {
	besideOthers(t)
	tools := doubling(t)
	if err := registry.Func(tools, "fail", "", func(context.Context, struct{}) (int, error) { return 0, errors.New("no") }); err != nil {
		t.Fatal(err)
	}
	e := called(t, toolservice.Options{APIKeys: []string{"inner"}}, func(c *config.SidecarConfig, _ *callback) {
		c.Callback.APIKey = config.NewSecret("inner")
	})
	var events []string
	got := e.run(t, `
import asyncio
print('before', flush=True)
x = tools.double(X=4)
print('between', flush=True)
try:
    tools.fail()
except ToolError as e:
    y = e.kind
z = await asyncio.gather(*[tools.double.arun(X=i) for i in range(50)])
print('after', flush=True)
[x, y, sum(z)]`, withTools(tools), func(r *executorclient.Request) {
		r.OnEvent = func(e executorclient.Event) {
			switch {
			case e.ToolStart != nil:
				events = append(events, "start "+e.ToolStart.Tool)
			case e.Stdout != "":
				events = append(events, strings.TrimSpace(e.Stdout))
			}
		}
	})
	if list, ok := got.Value.([]any); !ok || len(list) != 3 || list[0] != int64(8) || list[1] != "failed" || list[2] != int64(2450) {
		t.Errorf("%v %+v", got.Value, got.Error)
	}
	if len(got.ToolCalls) != 52 || got.ToolCalls[0].Result != int64(8) || got.ToolCalls[1].Error == nil || got.ToolCalls[51].Result == nil {
		t.Errorf("%d calls: %+v", len(got.ToolCalls), got.ToolCalls)
	}
	if len(events) < 5 || strings.Join(events[:4], ", ") != "before, start double, between, start fail" || events[len(events)-1] != "after" {
		t.Errorf("events: %v", events)
	}
}

// A client cannot make the executor dial what its operator did not allow.
func TestOnlyAllowedAddressesAreDialled(t *testing.T) {
	besideOthers(t)
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	dialled := make(chan struct{})
	go func() {
		if _, err := listener.Accept(); err == nil {
			close(dialled)
		}
	}()
	for name, allowed := range map[string][]string{"none": nil, "another": {"http://127.0.0.1:1"}} {
		e := called(t, toolservice.Options{}, func(c *config.SidecarConfig, calls *callback) {
			calls.Address = "http://" + listener.Addr().String()
			c.Callback.Addresses = allowed
		})
		got, err := e.Execute(t.Context(), executorclient.Request{Code: "tools.double(X=1)", Tools: doubling(t)})
		if err == nil || got.Status != executorclient.Rejected || !strings.Contains(err.Error(), "executor.callback.addresses") {
			t.Errorf("%s: %s, %v", name, got.Status, err)
		}
	}
	select {
	case <-dialled:
		t.Error("it dialled")
	case <-time.After(50 * time.Millisecond):
	}
}

// A capability is good for one execution while that runs, and for nothing before, after
// or else.
func TestACapabilityEndsWithItsExecution(t *testing.T) {
	besideOthers(t)
	tools := registry.New()
	if err := registry.Func(tools, "spy", "", func(context.Context, struct{}) (int, error) { return 1, nil }); err != nil {
		t.Fatal(err)
	}
	e := called(t, toolservice.Options{Registry: doubling(t)}, nil)
	conn, err := grpc.NewClient(e.callback.Address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	service := codemodev1.NewToolServiceClient(conn)
	list := func(capability string) ([]string, codes.Code) {
		ctx := t.Context()
		if capability != "" {
			ctx = metadata.AppendToOutgoingContext(ctx, toolservice.CapabilityHeader, capability)
		}
		answer, err := service.ListTools(ctx, &codemodev1.ListToolsRequest{})
		var names []string
		for _, tool := range answer.GetTools() {
			names = append(names, tool.GetName())
		}
		return names, status.Code(err)
	}
	for name, c := range map[string]string{"none": "", "guessed": "x"} {
		if names, code := list(c); code != codes.PermissionDenied {
			t.Errorf("%s: %v %s", name, names, code)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	capability, withdraw := e.callback.Service.Grant(ctx, tools, func(toolservice.Stream) error { return nil })
	if names, code := list(capability); code != codes.OK || strings.Join(names, " ") != "spy" {
		t.Errorf("its own tools: %v %s", names, code)
	}
	if other, also := e.callback.Service.Grant(ctx, tools, nil); other == capability || len(other) < 40 {
		t.Error("capabilities repeat, or are short")
	} else {
		also()
	}
	cancel()
	if _, code := list(capability); code != codes.PermissionDenied {
		t.Errorf("after the deadline: %s", code)
	}
	withdraw()
	if stream, err := service.CallTool(metadata.AppendToOutgoingContext(t.Context(), toolservice.CapabilityHeader, capability)); err != nil {
		t.Error(err)
	} else if _, err := stream.Recv(); status.Code(err) != codes.PermissionDenied {
		t.Errorf("a call after the end: %v", err)
	}
}

// Where the tool service is gone, the calls fail as calls do; when it is back, the next
// execution's work.
func TestALostToolServiceIsAToolError(t *testing.T) {
	besideOthers(t)
	tools := registry.New()
	e := called(t, toolservice.Options{}, nil)
	if err := registry.Func(tools, "cut", "", func(ctx context.Context, _ struct{}) (int, error) {
		go func() { _ = e.callback.Service.Close() }()
		<-ctx.Done()
		return 0, ctx.Err()
	}); err != nil {
		t.Fatal(err)
	}
	got := e.run(t, `
kinds = []
for i in range(2):
    try:
        tools.cut()
    except ToolError as e:
        kinds.append((e.kind, str(e)))
kinds`, withTools(tools))
	list, ok := got.Value.([]any)
	if !ok || len(list) != 2 {
		t.Fatalf("%v %+v", got.Value, got.Error)
	}
	for i, words := range []string{"may have run", "did not run"} {
		pair, ok := list[i].([]any)
		if !ok || pair[0] != "unavailable" || !strings.Contains(pair[1].(string), words) || strings.Contains(pair[1].(string), e.callback.dir) {
			t.Errorf("call %d: %v", i, list[i])
		}
	}
}

// The executor and the tool service know each other by certificates.
func TestCallbacksOverMutualTLS(t *testing.T) {
	besideOthers(t)
	dir := t.TempDir()
	authority, foreign := certtest.NewAuthority(t), certtest.NewAuthority(t)
	ca := authority.Write(t, dir, "ca.crt")
	appCert, appKey := authority.Issue(t, dir, "app", certtest.Leaf{Hosts: []string{"127.0.0.1"}})
	cert, key := authority.Issue(t, dir, "server", certtest.Leaf{Hosts: []string{"127.0.0.1"}})
	strangeCert, strangeKey := foreign.Issue(t, dir, "strange", certtest.Leaf{Hosts: []string{"127.0.0.1"}})
	for name, test := range map[string]struct {
		cert, key string
		works     bool
	}{"known": {cert, key, true}, "unknown": {strangeCert, strangeKey, false}} {
		e := called(t, toolservice.Options{TLS: &toolservice.TLS{CertFile: appCert, KeyFile: appKey, CAFile: ca}}, func(c *config.SidecarConfig, calls *callback) {
			if err := calls.listen("tcp", "127.0.0.1:0"); err != nil {
				t.Fatal(err)
			}
			c.Callback.Addresses = []string{calls.Address}
			c.TLS = config.ServerTLS{CertFile: test.cert, KeyFile: test.key, CAFile: ca}
		})
		got := e.run(t, "tools.double(X=21)", withTools(doubling(t)))
		if test.works != (got.Value == int64(42)) {
			t.Errorf("%s: %v %+v", name, got.Value, got.Error)
		}
	}
}
