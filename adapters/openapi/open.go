package openapi

import (
	"log/slog"
	"net/http"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/registry"
)

func init() {
	codemode.RegisterOpenAPI(func(api config.OpenAPI, log *slog.Logger) (registry.Source, error) {
		source := Open(api)
		source.Logger = log
		return source, nil
	})
}

// Open makes a Source of a document as codemode.yaml has them under openapi. The name
// becomes the namespace.
func Open(api config.OpenAPI) *Source {
	source := &Source{Name: api.Name, File: api.File, URL: api.URL, BaseURL: api.BaseURL, Header: http.Header{}}
	for name, value := range api.Headers {
		source.Header.Set(name, value.Reveal())
	}
	return source
}
