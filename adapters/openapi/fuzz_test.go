package openapi_test

import (
	"os"
	"testing"

	"github.com/codemode-sdk/codemode/adapters/openapi"
	"github.com/codemode-sdk/codemode/registry"
)

// FuzzDocument: no document takes the application down, and what is taken is a whole tool.
func FuzzDocument(f *testing.F) {
	text, err := os.ReadFile("testdata/shop.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	for _, seed := range []string{
		"--- \n", "# nothing", "openapi: 3.1.0\nx: &x [*x]\npaths: {/a: {get: {parameters: *x, requestBody: {content: {a/b: {schema: *x}}}, responses: *x}}}",
		`{"openapi":"3.0.0","paths":{"/a?b=c#d":{"get":{"summary":" ","responses":{"200":{"content":{"*/*":null}}}}}}}`,
		"openapi: 3.1.0\npaths: {'/{a}': {get: {parameters: [{name: a, in: path, schema: true}], responses: null}}}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		reg := registry.New()
		if err := reg.Attach(&openapi.Source{Document: text, BaseURL: "http://127.0.0.1:1/v1"}); err != nil {
			t.Fatal(err)
		}
		if reg.Start(t.Context()) != nil {
			return
		}
		for _, entry := range reg.Entries() {
			if entry.Stub() == "" || !entry.Connected() {
				t.Errorf("%s has no stub or no function", entry.Name())
			}
		}
		if err := reg.Close(); err != nil {
			t.Error(err)
		}
	})
}
