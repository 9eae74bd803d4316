package mcp_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/codemode-sdk/codemode/adapters/mcp"
	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/registry"
)

// overHTTP serves handler, and stops before goroutines are counted.
func overHTTP(t *testing.T, handler http.Handler) *httptest.Server {
	server := httptest.NewServer(handler)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server
}

func sdkHandler(t *testing.T, server *sdk.Server, options *sdk.StreamableHTTPOptions) http.Handler {
	t.Cleanup(func() { // those whose client could not say that it goes
		for session := range server.Sessions() {
			session.Close()
		}
	})
	return sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return server }, options)
}

func TestAServerOverHTTPIsAsExactAsOneOverPipes(t *testing.T) {
	server := newServer()
	server.AddTool(&sdk.Tool{Name: "t", InputSchema: json.RawMessage(`{"type":"object","properties":{"zeta":{},"alpha":{}},"required":["zeta","alpha"]}`)},
		func(context.Context, *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
			return &sdk.CallToolResult{StructuredContent: json.RawMessage(`{"id":12345678901234567890123}`)}, nil
		})
	for name, options := range map[string]*sdk.StreamableHTTPOptions{
		"events": nil, "JSON": {JSONResponse: true}, "stateless": {Stateless: true},
	} {
		t.Run(name, func(t *testing.T) {
			reg := start(t, &mcp.Source{Name: "h", URL: overHTTP(t, sdkHandler(t, server, options)).URL})
			entry, ok := reg.Lookup("h.t")
			if !ok || entry.Parameters()[0].Name != "zeta" {
				t.Errorf("the parameters are %+v", entry.Parameters())
			}
			got, err := reg.Call(t.Context(), "h.t", []byte(`{"zeta":1,"alpha":2}`))
			if err != nil || string(got) != `{"id":12345678901234567890123}` {
				t.Errorf("%s, %v", got, err)
			}
		})
	}
}

func TestHeadersGoToTheServersOwnHostOnly(t *testing.T) {
	server := newServer()
	add(server, "t", "", &sdk.CallToolResult{Content: text("fine")})
	var authorized, elsewhere atomic.Value
	inner := sdkHandler(t, server, nil)
	other := overHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		elsewhere.Store(r.Header.Get("X-Key") + r.Header.Get("Authorization"))
		http.Error(w, "no", http.StatusTeapot)
	}))
	redirect := atomic.Bool{}
	own := overHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if redirect.Load() {
			http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
			return
		}
		authorized.Store(r.Header.Get("X-Key"))
		inner.ServeHTTP(w, r)
	}))
	source := &mcp.Source{Name: "h", URL: own.URL, Header: http.Header{"x-key": {"secret"}, "Authorization": {"Bearer secret"}}}
	reg := start(t, source)
	if authorized.Load() != "secret" {
		t.Errorf("the server got %q", authorized.Load())
	}
	redirect.Store(true)
	if _, err := reg.Call(t.Context(), "h.t", nil); err == nil {
		t.Error("the other server answered")
	}
	if elsewhere.Load() != "" {
		t.Errorf("the other host got %q", elsewhere.Load())
	}
}

func TestAServerThatForgetsTheSessionGetsANewOne(t *testing.T) {
	server := newServer()
	add(server, "t", "", &sdk.CallToolResult{Content: text("fine")})
	var current atomic.Value
	current.Store(sdkHandler(t, server, nil))
	own := overHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		current.Load().(http.Handler).ServeHTTP(w, r)
	}))
	reg := start(t, &mcp.Source{Name: "h", URL: own.URL})
	current.Store(sdkHandler(t, server, nil)) // as after a restart
	for range 2 {
		if got, err := reg.Call(t.Context(), "h.t", nil); err != nil || string(got) != `"fine"` {
			t.Errorf("%s, %v", got, err)
		}
	}
}

func TestAGiantAnswerOverHTTPIsAnError(t *testing.T) {
	for name, options := range map[string]*sdk.StreamableHTTPOptions{"events": nil, "JSON": {JSONResponse: true}} {
		t.Run(name, func(t *testing.T) {
			server := newServer()
			add(server, "huge", "", &sdk.CallToolResult{Content: text(strings.Repeat("x", 1<<20))})
			add(server, "small", "", &sdk.CallToolResult{Content: text("fine")})
			source := &mcp.Source{Name: "h", URL: overHTTP(t, sdkHandler(t, server, options)).URL, MaxMessageBytes: 64 << 10}
			reg := start(t, source)
			_, err := reg.Call(t.Context(), "h.huge", nil)
			wantKind(t, err, registry.KindTooLarge, "more than 65536 bytes")
			if got, err := reg.Call(t.Context(), "h.small", nil); err != nil || string(got) != `"fine"` {
				t.Errorf("the next call gave %s, %v", got, err)
			}
		})
	}
}

func TestTheHandlerRefusesWhoMayNotUseIt(t *testing.T) {
	server, err := mcp.NewServer(cm, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	handler, err := server.Handler(&mcp.HTTPOptions{
		Keys: []config.Secret{config.NewSecret("one"), config.NewSecret("two")}, Origins: []string{"https://app.example.com"}, MaxSessions: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	web := overHTTP(t, handler)
	initialize := `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`
	post := func(body string, headers ...string) *http.Response {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, web.URL, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Accept", "application/json, text/event-stream")
		for i := 0; i < len(headers); i += 2 {
			if headers[i] == "Host" {
				request.Host = headers[i+1]
			}
			request.Header.Set(headers[i], headers[i+1])
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		response.Body.Close()
		return response
	}
	key := []string{"Authorization", "Bearer two"}
	for _, test := range []struct {
		name    string
		headers []string
		want    int
	}{
		{"no key", nil, 401},
		{"a wrong key", []string{"Authorization", "Bearer three"}, 401},
		{"a page of another site", append(key, "Origin", "https://evil.example.com"), 403},
		{"a rebound name", append(key, "Host", "evil.example.com"), 403},
		{"a page that may", append(key, "Origin", "https://app.example.com"), 200},
		{"one session too many", key, 400},
	} {
		if got := post(initialize, test.headers...); got.StatusCode != test.want {
			t.Errorf("%s: status %d, want %d", test.name, got.StatusCode, test.want)
		}
	}
	for session := range server.Sessions() {
		list := `{"jsonrpc":"2.0","id":2,"method":"tools/list"}`
		if got := post(list, "Authorization", "Bearer one", "Mcp-Session-Id", session.ID()); got.StatusCode != http.StatusForbidden {
			t.Errorf("another key's session: status %d", got.StatusCode)
		}
		if got := post(list, "Authorization", "Bearer two", "Mcp-Session-Id", session.ID()); got.StatusCode != http.StatusOK {
			t.Errorf("the own session: status %d", got.StatusCode)
		}
	}
}

func TestAProgramRunsOverHTTPAndEndsWithItsRequest(t *testing.T) {
	server, err := mcp.NewServer(cm, nil)
	if err != nil {
		t.Fatal(err)
	}
	handler, err := server.Handler(nil)
	if err != nil {
		t.Fatal(err)
	}
	web := overHTTP(t, handler)
	t.Cleanup(func() { server.Close() })
	client, err := sdk.NewClient(implementation, nil).Connect(t.Context(), &sdk.StreamableClientTransport{Endpoint: web.URL}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	result, err := client.CallTool(t.Context(), code("tools.square(n=6)"))
	if err != nil || textOf(result) != "36" {
		t.Errorf("%v, %v", result, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		within(t, "the call", waiting)
		cancel()
	}()
	if _, err := client.CallTool(ctx, code("tools.wait()")); err == nil {
		t.Error("a cancelled request succeeded")
	}
	if got := within(t, "the end of the tool's context", waiting); got != "ended" {
		t.Error(got)
	}
}
