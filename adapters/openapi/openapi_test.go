package openapi_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/codemode-sdk/codemode/adapters/openapi"
	"github.com/codemode-sdk/codemode/registry"
)

// An api is a server that keeps what it was sent and answers as it is told.
type api struct {
	*httptest.Server
	mu     sync.Mutex
	got    *http.Request
	body   string
	answer func(w http.ResponseWriter, r *http.Request)
}

func serve(t *testing.T) *api {
	a := &api{}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, _ := io.ReadAll(r.Body)
		a.mu.Lock()
		a.got, a.body = r, string(data)
		answer := a.answer
		a.mu.Unlock()
		if answer != nil {
			answer(w, r)
		}
	}))
	t.Cleanup(a.Close)
	return a
}

func (a *api) answers(contentType, body string, status int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answer = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func open(t *testing.T, source *openapi.Source) *registry.Registry {
	t.Helper()
	reg := registry.New()
	if err := reg.Attach(source); err != nil {
		t.Fatal(err)
	}
	if err := reg.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = reg.Close() })
	return reg
}

func shop(t *testing.T) (*api, *registry.Registry) {
	a := serve(t)
	return a, open(t, &openapi.Source{Name: "shop", File: "testdata/shop.yaml", BaseURL: a.URL + "/v2/", Client: a.Client()})
}

func call(t *testing.T, reg *registry.Registry, name, arguments string) (string, *registry.ToolError) {
	t.Helper()
	result, err := reg.Call(t.Context(), name, []byte(arguments))
	if err == nil {
		return string(result), nil
	}
	failure, ok := err.(*registry.ToolError) //nolint:errorlint // as Call promises
	if !ok {
		t.Fatalf("%s gave the error %v", name, err)
	}
	return "", failure
}

func TestArgumentsGoWhereTheDocumentSays(t *testing.T) {
	a, reg := shop(t)
	for _, test := range []struct{ name, arguments, method, uri, body string }{
		{"listOrders", `{}`, "GET", "/v2/orders", ""},
		{"listOrders", `{"limit":5,"status":["open","sent, really"]}`, "GET", "/v2/orders?limit=5&status=open&status=sent%2C+really", ""},
		{"listOrders", `{"skip_ids":[1,2,123456789012345678901]}`, "GET", "/v2/orders?skip_ids=1,2,123456789012345678901", ""},
		{"listOrders", `{"tags":["a","b&c=d"]}`, "GET", "/v2/orders?tags=a%7Cb%26c%3Dd", ""},
		{"listOrders", `{"words":["a","b"]}`, "GET", "/v2/orders?words=a%20b", ""},
		{"listOrders", `{"filter":{"a":1,"b":{"c d":[true,"x&y"]}}}`, "GET", "/v2/orders?filter[a]=1&filter[b][c+d][0]=true&filter[b][c+d][1]=x%26y", ""},
		{"listOrders", `{"free":{"k&":"v="}}`, "GET", "/v2/orders?k%26=v%3D", ""},
		{"listOrders", `{"range":{"to":2,"from":1}}`, "GET", "/v2/orders?range=from,1,to,2", ""},
		{"listOrders", `{"callback":"https://x/y?a=1&limit=9#f"}`, "GET", "/v2/orders?callback=https://x/y?a%3D1%26limit%3D9%23f", ""},
		{"listOrders", `{"where":{"a":"<b>&"}}`, "GET", "/v2/orders?where=%7B%22a%22%3A%22%3Cb%3E%26%22%7D", ""},
		{"getOrder", `{"id":"a b/c?d#e%2F"}`, "GET", "/v2/orders/a%20b%2Fc%3Fd%23e%252F", ""},
		{"styles", `{"point":{"x":1,"y":2},"parts":["a","b"],"list":["c","d,e"]}`, "GET", "/v2/matrix;x=1;y=2/label.a.b/c,d%2Ce", ""},
		{"createOrder", `{"customer":"<Ada>","note":null}`, "POST", "/v2/orders", `{"customer":"<Ada>","note":null}`},
		{"createOrder", `{"customer":"Ada","replaces":{"id":123456789012345678901,"customer":"B"}}`, "POST", "/v2/orders", `{"customer":"Ada","replaces":{"customer":"B","id":123456789012345678901}}`},
		{"replaceOrder", `{"id":"7","query_id":8,"body":"q","request_body":"whole"}`, "PUT", "/v2/orders/7?id=8&body=q", `"whole"`},
		{"delete_orders_id", `{"id":"7"}`, "DELETE", "/v2/orders/7", ""},
		{"putRaw", `{"body":{"$":["bytes","AAEC/w=="]}}`, "PUT", "/v2/raw", "\x00\x01\x02\xff"},
		{"putRaw", `{"body":"text"}`, "PUT", "/v2/raw", "text"},
		{"charge", `{}`, "POST", "/v2/charges", ""},
		{"charge", `{"amount":5,"metadata":{"k":"a&amount=1"},"expand":["x","y"]}`, "POST", "/v2/charges", "amount=5&expand[0]=x&expand[1]=y&metadata[k]=a%26amount%3D1"},
	} {
		if _, err := call(t, reg, "shop."+test.name, test.arguments); err != nil {
			t.Errorf("%s(%s): %v", test.name, test.arguments, err)
			continue
		}
		if a.got.Method != test.method || a.got.RequestURI != test.uri || a.body != test.body {
			t.Errorf("%s(%s) made %s %s %q, not %s %s %q", test.name, test.arguments, a.got.Method, a.got.RequestURI, a.body, test.method, test.uri, test.body)
		}
	}
	if _, err := call(t, reg, "shop.listOrders", `{"X-Trace":"t","X-Flags":["a","b"],"session":"s; admin=1"}`); err != nil {
		t.Fatal(err)
	}
	if h := a.got.Header; h.Get("X-Trace") != "t" || h.Get("X-Flags") != "a,b" || h.Get("Cookie") != "session=s%3B%20admin%3D1" || h.Get("Accept") != "application/json, */*;q=0.1" {
		t.Errorf("the headers were %v", h)
	}
}

func TestNoArgumentLeavesItsPlace(t *testing.T) {
	a, reg := shop(t)
	for name, list := range map[string][]string{
		"getOrder": {
			`{"id":""}`, `{"id":".."}`, `{"id":"."}`, `{"id":"../admin"}`, `{"id":"x/../../admin"}`, `{"id":"..\\admin"}`,
			`{"id":"%2e%2e/admin"}`, `{"id":"%252e%252e%252fadmin"}`, `{"id":"a\r\nHost: evil"}`, `{"id":"a%0d%0ab"}`, `{"id":"..;/admin"}`,
			`{"id":7}`, `{}`, `{"id":"7","extra":1}`,
		},
		"listOrders": {
			`{"X-Trace":"a\r\nX-Admin: 1"}`, `{"X-Flags":["a\nb"]}`, `{"free":{"limit":"1000"}}`, `{"free":{"api_key":"stolen"}}`,
			`{"tags":["a|b"]}`, `{"words":["a b"]}`, `{"api_key":"mine"}`, `{"Authorization":"mine"}`, `{"limit":101}`,
		},
		"styles":      {`{"point":{"x":1},"parts":[],"list":["a"]}`, `{"point":{"x":1},"parts":["."],"list":["a"]}`, `{"point":{"x":1},"parts":["a"],"list":["..",".."]}`},
		"createOrder": {`{}`, `{"customer":""}`, `{"customer":"a","weight":0}`, `{"customer":"a","id":3}`},
	} {
		for _, arguments := range list {
			a.got = nil
			if _, err := call(t, reg, "shop."+name, arguments); err == nil || err.Kind != registry.KindInvalidArguments {
				t.Errorf("%s(%s) gave the error %v", name, arguments, err)
			}
			if a.got != nil {
				t.Errorf("%s(%s) reached the server as %s", name, arguments, a.got.RequestURI)
			}
		}
	}
}

func TestFilesAreSentAsMultipart(t *testing.T) {
	a, reg := shop(t)
	a.answers("image/png", "\x89PNG\xff", 200)
	result, failure := call(t, reg, "shop.upload", `{"photo":{"$":["bytes","iVBORw=="]},"caption":"a\"b\r\nc","meta":{"x":1}}`)
	if failure != nil || result != `{"$":["bytes","iVBOR/8="]}` {
		t.Fatalf("upload gave %s, %v", result, failure)
	}
	_, parameters, err := mime.ParseMediaType(a.got.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	form, err := multipart.NewReader(strings.NewReader(a.body), parameters["boundary"]).ReadForm(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	if form.Value["caption"][0] != "a\"b\r\nc" || form.Value["meta"][0] != `{"x":1}` {
		t.Errorf("the fields were %v", form.Value)
	}
	file := form.File["photo"][0]
	if file.Filename != "photo" || file.Header.Get("Content-Type") != "image/png" || file.Size != 4 {
		t.Errorf("the file was %+v", file)
	}
}

func TestResponsesAreValuesAndStatusesAreErrors(t *testing.T) {
	a := serve(t)
	reg := open(t, &openapi.Source{
		Name: "shop", File: "testdata/shop.yaml", BaseURL: a.URL, Client: a.Client(), MaxResponseBytes: 10_000,
	})
	const big = `{"id":123456789012345678901,"price":1.0}`
	for _, test := range []struct {
		contentType, body string
		status            int
		want, kind, part  string
	}{
		{"application/json; charset=utf-8", big, 200, big, "", ""},
		{"application/hal+json", `[1,null]`, 201, `[1,null]`, "", ""},
		{"text/plain", "grüße", 200, `"grüße"`, "", ""},
		{"text/plain", "\xff", 200, `{"$":["bytes","/w=="]}`, "", ""},
		{"application/zip", "PK", 200, `{"$":["bytes","UEs="]}`, "", ""},
		{"application/json", "", 204, `null`, "", ""},
		{"application/json", `{"a":`, 200, "", registry.KindFailed, "is said to be JSON and is not"},
		{"application/json", strings.Repeat("[", 200) + strings.Repeat("]", 200), 200, "", registry.KindFailed, "cannot be sent"},
		{"application/json", `"` + strings.Repeat("x", 10_000) + `"`, 200, "", registry.KindTooLarge, "more than 10000 bytes"},
		{"application/json", `{"message":"no such order"}`, 404, "", registry.KindFailed, `HTTP 404 Not Found: {"message":"no such order"}`},
		{"text/plain", "who are you", 401, "", registry.KindDenied, "HTTP 401 Unauthorized: who are you"},
		{"text/plain", "slow down", 429, "", registry.KindLimit, "slow down"},
		{"text/html", strings.Repeat("<p>", 5000), 503, "", registry.KindUnavailable, "..."},
		{"application/octet-stream", "\xff\xfe", 500, "", registry.KindFailed, "2 bytes that are no text"},
		{"", "", 504, "", registry.KindTimeout, "HTTP 504 Gateway Timeout"},
	} {
		a.answers(test.contentType, test.body, test.status)
		result, failure := call(t, reg, "shop.getOrder", `{"id":"1"}`)
		if test.kind == "" {
			if failure != nil || result != test.want {
				t.Errorf("%d %s %.30q gave %s, %v", test.status, test.contentType, test.body, result, failure)
			}
			continue
		}
		if failure == nil || failure.Kind != test.kind || !strings.Contains(failure.Message, test.part) || len(failure.Message) > 3000 {
			t.Errorf("%d %s %.30q gave %s, %v", test.status, test.contentType, test.body, result, failure)
		}
	}
}

func TestCredentialsStayWithTheApplication(t *testing.T) {
	a, other := serve(t), serve(t)
	source := &openapi.Source{
		File: "testdata/shop.yaml", BaseURL: a.URL, Client: a.Client(),
		Header: http.Header{"x-trace": {"the application's"}},
		Edit: func(r *http.Request) error {
			query := r.URL.Query()
			query.Set("api_key", "secret")
			r.URL.RawQuery = query.Encode()
			r.Header.Set("X-Key", "secret")
			return nil
		},
	}
	reg := open(t, source)
	const tool = "the_shop_api.listOrders"
	if _, err := call(t, reg, tool, `{"X-Trace":"the program's"}`); err != nil {
		t.Fatal(err)
	}
	if a.got.Header.Get("X-Trace") != "the application's" || a.got.URL.Query().Get("api_key") != "secret" {
		t.Errorf("the request was %s, %v", a.got.RequestURI, a.got.Header)
	}
	entry, _ := reg.Lookup(tool)
	if strings.Contains(entry.Stub(), "api_key") || strings.Contains(entry.Stub(), "Authorization") {
		t.Errorf("a credential is an argument:\n%s", entry.Stub())
	}
	// Somewhere else is told nothing.
	a.mu.Lock()
	a.answer = func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
	}
	a.mu.Unlock()
	if _, err := call(t, reg, tool, `{}`); err == nil || !strings.Contains(err.Message, "HTTP 307") || strings.Contains(err.Message, "secret") || other.got != nil {
		t.Errorf("a redirect gave %v, and the other host got %v", err, other.got)
	}
	a.Close()
	_, err := call(t, reg, tool, `{}`)
	if err == nil || err.Kind != registry.KindUnavailable || strings.Contains(err.Error()+err.Err.Error(), "secret") {
		t.Errorf("a server that is gone gave %v", err)
	}
}

func TestACallEndsWithItsTimeoutAndItsContext(t *testing.T) {
	a := serve(t)
	a.answer = func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	reg := open(t, &openapi.Source{Name: "shop", File: "testdata/shop.yaml", BaseURL: a.URL, Client: a.Client(), Timeout: 50 * time.Millisecond})
	if _, err := call(t, reg, "shop.getOrder", `{"id":"1"}`); err == nil || err.Kind != registry.KindTimeout {
		t.Errorf("a server that does not answer gave %v", err)
	}
}

func TestPoliciesFollowTheMethods(t *testing.T) {
	_, reg := shop(t)
	for name, want := range map[string]registry.Policy{
		"listOrders":       {ReadOnly: true, Timeout: openapi.DefaultTimeout},
		"createOrder":      {Timeout: openapi.DefaultTimeout},
		"replaceOrder":     {Idempotent: true, Timeout: openapi.DefaultTimeout},
		"delete_orders_id": {Idempotent: true, Destructive: true, Timeout: openapi.DefaultTimeout},
	} {
		entry, ok := reg.Lookup("shop." + name)
		if !ok {
			t.Errorf("there is no %s", name)
			continue
		}
		if diff := cmp.Diff(want, entry.Policy()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestWhatCannotBeUsedCostsOnlyItself(t *testing.T) {
	var log bytes.Buffer
	a := serve(t)
	reg := open(t, &openapi.Source{
		Name: "shop", File: "testdata/shop.yaml", BaseURL: a.URL,
		Use:    func(o openapi.Operation) bool { return o.Path != "/photos" },
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if n := len(reg.Entries()); n != 8 {
		t.Errorf("there are %d tools", n)
	}
	for _, part := range []string{"GET /broken", "leads nowhere", "POST /broken", "nowhere", "GET /elsewhere/{what}", "{what}"} {
		if !strings.Contains(log.String(), part) {
			t.Errorf("the log lacks %q:\n%s", part, log.String())
		}
	}
}

func TestDocumentsThatCannotBeUsedAreRefusedWithTheReason(t *testing.T) {
	for text, part := range map[string]string{
		"":                                     "empty",
		"a: [":                                 "neither YAML nor JSON",
		"[]":                                   "no object",
		`{"swagger":"2.0"}`:                    "Swagger 2.0",
		"openapi: 4.0.0":                       `"4.0.0"`,
		"openapi: 3.1.0\npaths: {/a: {get: }}": "",
		"openapi: 3.1.0\npaths: {/a: {get: {responses: {}}}}":                                                                               "set BaseURL",
		"openapi: 3.1.0\nservers: [{url: /v1}]\npaths: {/a: {get: {responses: {}}}}":                                                        "set BaseURL",
		"openapi: 3.1.0\nservers: [{url: 'file:///etc'}]\npaths: {/a: {get: {responses: {}}}}":                                              "set BaseURL",
		"openapi: 3.1.0\nservers: [{url: 'http://h'}]\npaths: {/a: {$ref: other.yaml}}":                                                     "bundle the document",
		"openapi: 3.1.0\nservers: [{url: 'http://h'}]\npaths: {/a: {$ref: '#/paths/~1a'}}":                                                  "references that lead to references",
		"openapi: 3.1.0\nservers: [{url: 'http://h'}]\nx: &x {a: *x}\npaths: {/a: {get: {parameters: [{name: a, in: query, schema: *x}]}}}": "",
	} {
		reg := registry.New()
		if err := reg.Attach(&openapi.Source{Document: []byte(text)}); err != nil {
			t.Fatal(err)
		}
		err := reg.Start(t.Context())
		if part == "" {
			continue // it must only not crash
		}
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%q gave %v, which lacks %q", text, err, part)
		}
	}
}

func TestFiveHundredOperationsWithOneLargeSetOfSchemas(t *testing.T) {
	paths, schemas := map[string]any{}, map[string]any{}
	for i := range 500 {
		name := "Thing" + string(rune('A'+i%26)) + json.Number(jsonInt(i)).String()
		schemas[name] = map[string]any{"type": "object", "properties": map[string]any{
			"next": map[string]any{"$ref": "#/components/schemas/" + name}, "n": map[string]any{"type": []string{"integer", "null"}},
			"when": map[string]any{"type": "string", "format": "date-time", "description": "\U0001F600 */ \"\"\""},
		}}
		paths["/things/"+jsonInt(i)+"/{id}"] = map[string]any{"get": map[string]any{
			"operationId": "things/get-" + jsonInt(i),
			"parameters":  []any{map[string]any{"name": "id", "in": "path", "required": true, "schema": map[string]any{"type": "integer"}}},
			"responses": map[string]any{"200": map[string]any{"description": "It.", "content": map[string]any{
				"application/json": map[string]any{"schema": map[string]any{"$ref": "#/components/schemas/" + name}},
			}}},
		}}
	}
	text, err := json.Marshal(map[string]any{
		"openapi": "3.1.0", "info": map[string]any{"title": "Many"}, "paths": paths, "components": map[string]any{"schemas": schemas},
	})
	if err != nil {
		t.Fatal(err)
	}
	a := serve(t)
	reg := open(t, &openapi.Source{Document: text, BaseURL: a.URL, Client: a.Client()})
	if n := len(reg.Entries()); n != 500 {
		t.Fatalf("there are %d tools", n)
	}
	if _, err := call(t, reg, "many.things/get-77", `{"id":5}`); err != nil || a.got.RequestURI != "/things/77/5" {
		t.Errorf("the call gave %v and reached %s", err, a.got.RequestURI)
	}
}

func jsonInt(i int) string { text, _ := json.Marshal(i); return string(text) }
