package toolservice_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/codemode-sdk/codemode/executorclient/toolservice"
	codemodev1 "github.com/codemode-sdk/codemode/internal/gen/codemode/v1"
	"github.com/codemode-sdk/codemode/internal/waittest"
	"github.com/codemode-sdk/codemode/registry"
)

func TestMain(m *testing.M) { waittest.VerifyMain(m) }

// registered adds a service to a gRPC server of the application's own, as Register is for,
// and gives a client of it.
func registered(t *testing.T, o toolservice.Options) codemodev1.ToolServiceClient {
	t.Helper()
	service, err := toolservice.New(o)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	service.Register(server)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		server.Stop()
		for what, err := range map[string]error{"connection": conn.Close(), "service": service.Close(), "server": <-served} {
			if err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
	return codemodev1.NewToolServiceClient(conn)
}

func withKey(ctx context.Context, key string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+key)
}

// Whoever has a key finds each tool once, however many there are and whatever their names,
// and can call none of them.
func TestAKeyShowsEveryToolOnce(t *testing.T) {
	reg := registry.New()
	want := []string{"zoo.Aa", "a.b", "a-b", "A", "math.deep.add-up"}
	for i := range 1200 {
		want = append(want, fmt.Sprintf("n%d.tool", i))
	}
	for _, name := range want {
		if err := registry.Func(reg, name, "Is "+name, func(context.Context, struct{}) (int, error) { return 1, nil }); err != nil {
			t.Fatal(err)
		}
	}
	service := registered(t, toolservice.Options{Registry: reg, APIKeys: []string{"key"}})
	ctx := withKey(t.Context(), "key")
	var got []string
	for after, more := "", true; more; {
		page, err := service.ListTools(ctx, &codemodev1.ListToolsRequest{After: after})
		if err != nil || len(page.GetTools()) == 0 || len(page.GetTools()) > 500 {
			t.Fatalf("%d tools: %v", len(page.GetTools()), err)
		}
		for _, tool := range page.GetTools() {
			got = append(got, tool.GetName())
			if tool.GetDescription() != "Is "+tool.GetName() {
				t.Errorf("%s is described as %q", tool.GetName(), tool.GetDescription())
			}
		}
		after, more = got[len(got)-1], page.GetMore()
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(want, got) {
		t.Errorf("%d of %d tools: %.200v", len(got), len(want), got)
	}
	stream, err := service.CallTool(ctx)
	if err == nil {
		_, err = stream.Recv()
	}
	if status.Code(err) != codes.PermissionDenied || !strings.Contains(err.Error(), toolservice.CapabilityHeader) {
		t.Errorf("a call with a key alone: %v", err)
	}
}

// A tool's schema is what its caller has to send, and what comes back.
func TestASchemaIsShownToWhoeverMaySeeIt(t *testing.T) {
	reg := registry.New()
	type order struct {
		ID int `json:"id"`
	}
	if err := registry.Func(reg, "shop.order", "Orders.", func(context.Context, order) (order, error) { return order{}, nil }); err != nil {
		t.Fatal(err)
	}
	service := registered(t, toolservice.Options{Registry: reg, APIKeys: []string{"key"}})
	ask := func(ctx context.Context, name string) (*codemodev1.GetToolSchemaResponse, error) {
		return service.GetToolSchema(ctx, &codemodev1.GetToolSchemaRequest{Name: name})
	}
	got, err := ask(withKey(t.Context(), "key"), "shop.order")
	if err != nil || got.GetTool().GetName() != "shop.order" || got.GetTool().GetDescription() != "Orders." ||
		!strings.Contains(string(got.GetInputSchema()), `"id"`) || !strings.Contains(string(got.GetOutputSchema()), `"id"`) ||
		!strings.Contains(got.GetStub(), "id: int") {
		t.Errorf("%v, %v", got, err)
	}
	for name, refused := range map[string]struct {
		key, tool string
		want      codes.Code
		says      string
	}{
		"no key":           {"", "shop.order", codes.Unauthenticated, "API key"},
		"another key":      {"nokey", "shop.order", codes.Unauthenticated, "API key"},
		"no such tool":     {"key", "shop.nothing", codes.NotFound, `"shop.nothing"`},
		"an endless name":  {"key", strings.Repeat("x", 1<<20), codes.NotFound, "no tool"},
		"an empty name":    {"key", "", codes.NotFound, "no tool"},
		"a name with dots": {"key", "..", codes.NotFound, "no tool"},
	} {
		ctx := t.Context()
		if refused.key != "" {
			ctx = withKey(ctx, refused.key)
		}
		if _, err := ask(ctx, refused.tool); status.Code(err) != refused.want || !strings.Contains(err.Error(), refused.says) || len(err.Error()) > 1000 {
			t.Errorf("%s: %.300v", name, err)
		}
	}
	// Without keys nobody is told anything, since anybody could ask.
	if _, err := registered(t, toolservice.Options{Registry: reg}).ListTools(t.Context(), &codemodev1.ListToolsRequest{}); status.Code(err) != codes.PermissionDenied {
		t.Errorf("a service without keys: %v", err)
	}
}
