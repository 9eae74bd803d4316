package openapi_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/adapters/openapi"
	"github.com/codemode-sdk/codemode/registry"
	_ "github.com/codemode-sdk/codemode/sidecar/embeddedpython"
)

// A tool for each operation of a service; its key stays in this process.
func Example() {
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer key" {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"name": %q, "celsius": %d}`, r.URL.Path[len("/cities/"):], len(r.URL.Path))
	}))
	defer service.Close()

	reg := registry.New()
	reg.Attach(&openapi.Source{
		Name: "weather", BaseURL: service.URL,
		Header: http.Header{"Authorization": {"Bearer key"}},
		Document: []byte(`
openapi: 3.1.0
info: {title: Weather, version: "1"}
paths:
  /cities/{city}:
    get:
      operationId: getCity
      parameters: [{name: city, in: path, required: true, schema: {type: string}}]
      responses:
        "200": {description: The weather, content: {application/json: {schema: {type: object}}}}
`),
	})
	cm, err := codemode.New(codemode.Options{Registry: reg})
	if err != nil {
		log.Fatal(err)
	}
	defer cm.Close()

	result, err := cm.Execute(context.Background(), `max((tools.weather.getCity(c) for c in ("Oslo", "Lisbon")), key=lambda c: c["celsius"])["name"]`)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Value)
	// Output:
	// Lisbon
}
