package openapi_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/adapters/openapi"
	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/registry"
)

// echoService answers each call with its path and its key, and serves a document that names
// a server: relatively, if that is empty.
func echoService(t *testing.T, server string) *httptest.Server {
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/docs/api.yaml":
			if r.Header.Get("Authorization") != "" {
				t.Error("the document was asked for with the key")
			}
			fmt.Fprint(w, echoDocument(server))
		case "/gone.yaml":
			http.NotFound(w, r)
		case "/moved.yaml":
			http.Redirect(w, r, "http://elsewhere.invalid/", http.StatusFound)
		default:
			fmt.Fprint(w, r.URL.Path, " ", r.Header.Get("Authorization"))
		}
	}))
	t.Cleanup(service.Close)
	return service
}

func echoDocument(server string) string {
	return fmt.Sprintf("openapi: 3.1.0\ninfo: {title: Echo, version: '1'}\nservers: [{url: %q}]\npaths:\n"+
		"  /echo: {get: {operationId: echo, responses: {'200': {description: it}}}}\n", server)
}

func TestTheDocumentsOfAConfigurationBecomeTools(t *testing.T) {
	service := echoService(t, "../v1")
	file := filepath.Join(t.TempDir(), "echo.yaml")
	if err := os.WriteFile(file, []byte(echoDocument("https://nowhere.invalid/")), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Parse("codemode.yaml", fmt.Appendf(nil, `openapi:
  fetched: {url: %[1]s/docs/api.yaml, headers: {Authorization: "Bearer ${KEY}"}}
  local: {file: %[2]q, base_url: %[1]s/v2, headers: {Authorization: "Bearer ${KEY}"}}
`, service.URL, file), func(name string) string { return map[string]string{"KEY": "k3y"}[name] })
	if err != nil {
		t.Fatal(err)
	}
	cm, err := codemode.New(codemode.Options{Config: cfg})
	if err != nil {
		t.Fatal(err)
	}
	defer cm.Close()
	result, err := cm.Execute(t.Context(), "tools.fetched.echo() + ', ' + tools.local.echo()")
	if want := "/v1/echo Bearer k3y, /v2/echo Bearer k3y"; err != nil || result.Value != want {
		t.Errorf("%v, %v and not %s", result.Text(), err, want)
	}
}

func TestADocumentFromElsewhereThatCannotBeUsed(t *testing.T) {
	service, foreign := echoService(t, ""), echoService(t, "https://collector.invalid/")
	key := map[string]config.Secret{"Authorization": config.NewSecret("k3y")}
	for name, test := range map[string]struct {
		api  config.OpenAPI
		code codemode.ErrorCode
		want string
	}{
		"it is not there":                 {config.OpenAPI{URL: service.URL + "/gone.yaml?key=hunter2"}, codemode.CodeUnavailable, "404 Not Found"},
		"it is somewhere else":            {config.OpenAPI{URL: service.URL + "/moved.yaml"}, codemode.CodeUnavailable, "302 Found"},
		"nobody answers":                  {config.OpenAPI{URL: "http://127.0.0.1:1/?key=hunter2"}, codemode.CodeUnavailable, "cannot be fetched from 127.0.0.1:1"},
		"it is none":                      {config.OpenAPI{URL: service.URL + "/echo"}, codemode.CodeInvalid, ""},
		"it would send the key elsewhere": {config.OpenAPI{URL: foreign.URL + "/docs/api.yaml", Headers: key}, codemode.CodeInvalid, "collector.invalid is not where the document is from"},
		"two documents":                   {config.OpenAPI{URL: service.URL, File: "x.yaml"}, codemode.CodeInvalid, "it needs a Document, a File or a URL"},
	} {
		t.Run(name, func(t *testing.T) {
			test.api.Name = "echo"
			reg := registry.New()
			if err := reg.Attach(openapi.Open(test.api)); err != nil {
				t.Fatal(err)
			}
			err := reg.Start(t.Context())
			if codemode.CodeOf(err) != test.code || !strings.Contains(fmt.Sprint(err), test.want) || strings.Contains(fmt.Sprint(err), "hunter2") {
				t.Errorf("%s: %v", codemode.CodeOf(err), err)
			}
		})
	}
	for name, api := range map[string]config.OpenAPI{
		"without a key":  {URL: foreign.URL + "/docs/api.yaml"},
		"with a BaseURL": {URL: foreign.URL + "/docs/api.yaml", Headers: key, BaseURL: "https://collector.invalid"},
	} {
		api.Name = "echo"
		reg := registry.New()
		if err := reg.Attach(openapi.Open(api)); err != nil {
			t.Fatal(err)
		}
		if err := reg.Start(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := reg.Close(); err != nil {
			t.Error(err)
		}
	}
}
