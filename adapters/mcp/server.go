package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"reflect"
	"strings"
	"sync"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/internal/version"
	"github.com/codemode-sdk/codemode/registry"
)

// ServerOptions say what NewServer makes. They are copied; nil and the zero value are
// the defaults.
type ServerOptions struct {
	// Name and Version introduce the server to clients. If empty, "codemode" and the
	// module's version.
	Name, Version string
	// Instructions tell the client's model when to use the server; may be empty. How to
	// write programs is in the tool's description.
	Instructions string
	// Logger gets what the protocol's machinery has to say. If nil, nothing is written.
	Logger *slog.Logger
}

// A Server offers the tools of Codemode.Tools to MCP clients. It is an sdk.Server, to which
// prompts and resources of the application's own can be added.
type Server struct {
	*sdk.Server
	codemode *codemode.Codemode
	log      *slog.Logger

	mu      sync.Mutex
	offered map[string]offer // by the tools' names

	end      context.CancelFunc
	watching sync.WaitGroup
}

// An offer is a tool as clients see it.
type offer struct {
	tool    *sdk.Tool
	handler sdk.ToolHandler
}

// NewServer makes a server that runs the programs of its clients on cm, and follows what
// is registered there: the description that clients get is never stale, and those that
// ask for it are told when it changes. It fails as Codemode.Tools does. The caller closes
// the server, and then cm.
func NewServer(cm *codemode.Codemode, options *ServerOptions) (*Server, error) {
	var o ServerOptions
	if options != nil {
		o = *options
	}
	if o.Name == "" {
		o.Name = "codemode"
	}
	if o.Version == "" {
		o.Version = version.String()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Server{codemode: cm, log: o.Logger, offered: map[string]offer{}}
	s.Server = sdk.NewServer(&sdk.Implementation{Name: o.Name, Version: o.Version}, &sdk.ServerOptions{
		Instructions: o.Instructions, Logger: o.Logger,
		Capabilities: &sdk.ServerCapabilities{
			Logging: &sdk.LoggingCapabilities{}, Tools: &sdk.ToolCapabilities{ListChanged: true},
		},
	})
	if err := s.refresh(); err != nil {
		return nil, err
	}
	s.AddReceivingMiddleware(s.fresh)
	life, end := context.WithCancel(context.Background())
	s.end = end
	s.watching.Go(func() { s.watch(life) })
	return s, nil
}

// Close ends all sessions and the runs that they wait for.
func (s *Server) Close() error {
	s.end()
	s.watching.Wait()
	for session := range s.Sessions() {
		_ = session.Close() // a client that has gone already
	}
	return nil
}

// watch keeps what is offered up to date, so that clients are told of changes.
func (s *Server) watch(life context.Context) {
	for {
		changed := s.codemode.Registry().Changed()
		if err := s.refresh(); err != nil {
			s.log.Warn("the tools cannot be described; clients see the former description", "error", err)
		}
		select {
		case <-life.Done():
			return
		case <-changed:
		}
	}
}

// fresh is middleware that has a client see what is registered when it asks.
func (s *Server) fresh(next sdk.MethodHandler) sdk.MethodHandler {
	return func(ctx context.Context, method string, request sdk.Request) (sdk.Result, error) {
		if method == "tools/list" {
			if err := s.refresh(); err != nil {
				return nil, err
			}
		}
		return next(ctx, method, request)
	}
}

// refresh offers the tools that there are now.
func (s *Server) refresh() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	offers, err := s.offers()
	if err != nil {
		return err
	}
	wanted := map[string]bool{}
	for _, o := range offers {
		wanted[o.tool.Name] = true
		if before, ok := s.offered[o.tool.Name]; ok && reflect.DeepEqual(before.tool, o.tool) {
			continue
		}
		if err := s.offer(o); err != nil {
			return err
		}
		s.offered[o.tool.Name] = o
	}
	for name := range s.offered {
		if !wanted[name] {
			s.RemoveTools(name)
			delete(s.offered, name)
		}
	}
	return nil
}

// offer adds a tool. The SDK panics on a schema that it cannot use.
func (s *Server) offer(o offer) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fault.New(fault.Invalid, "the tool %q cannot be offered over MCP: %v", o.tool.Name, v)
		}
	}()
	s.AddTool(o.tool, o.handler)
	return nil
}

// offers are the tool that runs programs, the one that searches if there is one, and those
// that are direct.
func (s *Server) offers() ([]offer, error) {
	tools, err := s.codemode.Tools()
	if err != nil {
		return nil, err
	}
	offers := []offer{{
		tool: &sdk.Tool{
			Name: tools[0].Name, Title: "Run a Python program that calls tools", Description: tools[0].Description,
			InputSchema: tools[0].Parameters, OutputSchema: json.RawMessage(outputSchema),
		},
		handler: s.run,
	}}
	for _, direct := range tools[1:] {
		offers = append(offers, offer{
			tool: &sdk.Tool{
				Name: direct.Name, Description: direct.Description, InputSchema: objectSchema(direct.Parameters), Annotations: hintsOf(direct.Policy),
			},
			handler: callDirect(direct),
		})
	}
	return offers, nil
}

// objectSchema says that it is an object's, as MCP wants it said and JSON Schema does not.
func objectSchema(schema json.RawMessage) json.RawMessage {
	var fields map[string]json.RawMessage
	if json.Unmarshal(schema, &fields) != nil || fields == nil {
		return schema // refused by offer
	}
	if _, ok := fields["type"]; ok {
		return schema
	}
	if len(fields) == 0 {
		return json.RawMessage(`{"type":"object"}`)
	}
	return append(json.RawMessage(`{"type":"object",`), bytes.TrimLeft(schema, "{ \t\r\n")...)
}

// hintsOf are a tool's hints for clients. A policy that says nothing leaves the protocol's
// default: it may destroy something.
func hintsOf(policy registry.Policy) *sdk.ToolAnnotations {
	hints := &sdk.ToolAnnotations{ReadOnlyHint: policy.ReadOnly, IdempotentHint: policy.Idempotent}
	if policy.Destructive {
		hints.DestructiveHint = &policy.Destructive
	}
	return hints
}

func callDirect(tool codemode.Tool) sdk.ToolHandler {
	return func(ctx context.Context, request *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		report := newReport(ctx, request)
		text, err := tool.Call(codemode.WithOnEvent(ctx, report.event), string(request.Params.Arguments))
		report.finish()
		if err != nil {
			return nil, err
		}
		return &sdk.CallToolResult{
			Content: []sdk.Content{&sdk.TextContent{Text: text}},
			// How Codemode.Tools has a failure begin.
			IsError: strings.HasPrefix(text, "ToolError ("),
		}, nil
	}
}

// run runs a program.
func (s *Server) run(ctx context.Context, request *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
	arguments := request.Params.Arguments
	if len(arguments) == 0 || string(arguments) == "null" {
		arguments = json.RawMessage("{}") // which clients may leave out
	}
	code, err := codemode.Program(string(arguments))
	if err != nil { // it is for the model
		return &sdk.CallToolResult{IsError: true, Content: []sdk.Content{&sdk.TextContent{Text: err.Error()}}}, nil //nolint:nilerr // see above
	}
	report := newReport(ctx, request)
	result, err := s.codemode.ExecuteRequest(ctx, codemode.Request{Code: code, OnEvent: report.event})
	report.finish()
	switch {
	case err == nil, codemode.CodeOf(err) == codemode.CodeRejected:
		return resultOf(result)
	case ctx.Err() != nil:
		return nil, ctx.Err()
	}
	s.log.Warn("a program could not be run", "error", err)
	return &sdk.CallToolResult{
		IsError: true, Content: []sdk.Content{&sdk.TextContent{Text: "The program could not be run: " + err.Error()}},
	}, nil
}
