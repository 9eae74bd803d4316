package openapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/registry"
)

// What the zero values of a Source's fields stand for.
const (
	// DefaultTimeout bounds one call.
	DefaultTimeout = 30 * time.Second
	// DefaultMaxResponseBytes bounds the body of one response.
	DefaultMaxResponseBytes = 16 << 20
)

// A Source is an HTTP API that an OpenAPI document describes; it is a registry.Source. Of
// Document, File and URL, exactly one is set. A Source must not be copied or changed once it
// has been attached.
type Source struct {
	// Name is the namespace of the tools: with "shop", getOrder is tools.shop.getOrder in
	// a program. If empty, the document's title in lower case, with _ for what cannot be
	// in a name.
	Name string

	// Document is the text of the document, YAML or JSON, at most MaxDocumentBytes.
	Document []byte
	// File is where the document is.
	File string
	// URL is where Start fetches the document from, with Client and without Header: http or
	// https. A server that the document names relatively counts from there.
	URL string

	// BaseURL is where the API is, http or https, in place of all servers that the
	// document names. It is needed where the document comes from a URL of another host than
	// the API's and Header or Edit are set. If empty, the first server of the operation, its path or the
	// document, with the defaults of its variables.
	BaseURL string
	// Client makes the requests. If nil, http.DefaultClient. Unless it has a CheckRedirect
	// of its own, redirects to another host or scheme are not followed, so that no
	// credential gets there.
	Client *http.Client
	// Header is set on every request, over what a program may have given: Authorization
	// and the like.
	Header http.Header
	// Edit changes a request before it is sent, for credentials that change or depend on
	// who asks: the request's context is that of the tool call, which carries what the
	// context of Execute does. Its error ends the call, and is shown to the program. It is
	// called by many goroutines at once. If nil, nothing is changed.
	Edit func(*http.Request) error

	// Timeout bounds one call, as the tools' Policy.Timeout. If zero, DefaultTimeout.
	Timeout time.Duration
	// MaxResponseBytes bounds the body of one response; a larger one is a ToolError of
	// kind too_large. If zero, DefaultMaxResponseBytes.
	MaxResponseBytes int
	// Use picks the operations to take. If nil, all.
	Use func(Operation) bool
	// Logger gets a warning for each operation that had to be left out, and why. If nil,
	// nothing is written.
	Logger *slog.Logger

	client *http.Client
}

// String names the source in errors.
func (s *Source) String() string {
	switch {
	case s.Name != "":
		return "OpenAPI document " + s.Name
	case s.File != "":
		return "OpenAPI document " + s.File
	}
	return "OpenAPI document"
}

// Start reads the document and gives the registry a tool for each operation. It fails with
// fault.Invalid where the document or the fields cannot be used, or a tool's name is taken
// by another origin, and with fault.Unavailable where URL gives no document. An operation that cannot be used is left
// out, with a warning to Logger; Start fails if none can be.
func (s *Source) Start(ctx context.Context, reg *registry.Registry) error {
	if s.Timeout < 0 || s.MaxResponseBytes < 0 {
		return fault.New(fault.Invalid, "a limit is negative").WithRemedy("use 0 for the default")
	}
	s.client = s.httpClient()
	text, err := s.text(ctx)
	if err != nil {
		return err
	}
	d, err := parse(text)
	if err != nil {
		return err
	}
	tools, refused := s.tools(d)
	if len(tools) == 0 && len(refused) > 0 {
		return fault.Wrap(fault.Invalid, errors.Join(refused[:min(len(refused), 5)]...), "none of its operations can be used")
	}
	return reg.Replace(s, tools...)
}

// Close does nothing: there is no connection but those of the Client, and the registry
// waits for calls.
func (s *Source) Close() error { return nil }

// tools makes a tool of each operation that can be used.
func (s *Source) tools(d *document) (tools []registry.Tool, refused []error) {
	space := s.Name
	if space == "" {
		space = strings.ToLower(strings.Trim(notInNames.ReplaceAllString(str(get(d.root, "info"), "title"), "_"), "_"))
	}
	if space == "" {
		space = "api"
	}
	log := s.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	// Each is tried on its own, so that one which cannot be used costs only itself.
	alone := registry.New()
	s.operations(d, func(op *operation, o Operation, err error) {
		if err == nil {
			var tool registry.Tool
			if tool, err = s.add(alone, space, op); err == nil {
				tools = append(tools, tool)
				return
			}
		}
		err = fmt.Errorf("%s %s: %w", o.Method, o.Path, err)
		refused = append(refused, err)
		log.Warn("an operation of the OpenAPI document is left out", "openapi", space, "error", err)
	})
	return tools, refused
}

func (s *Source) add(alone *registry.Registry, space string, op *operation) (registry.Tool, error) {
	tool := op.tool
	tool.Origin = s.String()
	tool.Handler = func(ctx context.Context, args registry.Args) (any, error) {
		return s.call(ctx, op, args)
	}
	tool.Name = space + "." + op.name()
	err := alone.Add(tool)
	if err == nil {
		return tool, nil
	}
	// The name is taken, though no two should have one, or the result's schema is no
	// schema, which costs nothing but what the model is told.
	again := tool
	if _, taken := alone.Lookup(tool.Name); taken {
		again.Name = space + "." + op.place()
		if alone.Add(again) == nil {
			return again, nil
		}
	}
	again.Name, again.OutputSchema = tool.Name, nil
	if alone.Add(again) == nil {
		return again, nil
	}
	return tool, err
}

var variable = regexp.MustCompile(`\{([^{}]*)\}`)

// server gives the URL of an operation.
func (s *Source) server(d *document, item, n *yaml.Node) (string, error) {
	base := s.BaseURL
	if base == "" {
		for _, place := range []*yaml.Node{n, item, d.root} {
			list := items(get(place, "servers"))
			if len(list) == 0 {
				continue
			}
			first := target(list[0])
			base = variable.ReplaceAllStringFunc(str(first, "url"), func(name string) string {
				return str(get(get(first, "variables"), strings.Trim(name, "{}")), "default")
			})
			break
		}
	}
	u, err := url.Parse(base)
	if from, known := url.Parse(s.URL); err == nil && known == nil && s.BaseURL == "" && from.Host != "" {
		u = from.ResolveReference(u)
	}
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.Fragment != "" {
		return "", fault.New(fault.Invalid, "its server is not known: %q is no http or https URL without a query", short(base, 200)).
			WithRemedy("set BaseURL")
	}
	// A document from elsewhere must not choose who gets the credentials.
	if from, known := url.Parse(s.URL); s.URL != "" && s.BaseURL == "" && (len(s.Header) > 0 || s.Edit != nil) &&
		(known != nil || from.Scheme != u.Scheme || from.Host != u.Host) {
		return "", fault.New(fault.Invalid, "its server %s is not where the document is from, and would get the credentials", short(u.Host, 200)).
			WithRemedy("set BaseURL, base_url in codemode.yaml")
	}
	return u.Scheme + "://" + u.Host + strings.TrimSuffix(u.EscapedPath(), "/"), nil
}

func (s *Source) httpClient() *http.Client {
	client := http.Client{}
	if s.Client != nil {
		client = *s.Client
	}
	if client.CheckRedirect == nil {
		client.CheckRedirect = func(request *http.Request, via []*http.Request) error {
			first := via[0].URL
			if len(via) >= 10 || request.URL.Host != first.Host || request.URL.Scheme != first.Scheme {
				return http.ErrUseLastResponse
			}
			return nil
		}
	}
	return &client
}
