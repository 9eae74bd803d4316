package toolservice

import (
	"context"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	codemodev1 "github.com/codemode-sdk/codemode/internal/gen/codemode/v1"
	"github.com/codemode-sdk/codemode/registry"
)

// pageSize is how many tools one answer lists.
const pageSize = 500

// shown is what the caller may look at; release is called when it has.
func (s *Server) shown(ctx context.Context) (tools *registry.Registry, release func(), err error) {
	g, err := s.admit(ctx)
	switch {
	case err != nil:
		return nil, nil, err
	case g != nil:
		tools, release = g.tools, g.streams.Done
	case s.keys.Empty():
		return nil, nil, status.Error(codes.PermissionDenied, "tools are shown to whoever has the capability of an execution, or an API key where the service has some")
	default:
		tools, release = s.registry, func() {}
	}
	if tools == nil {
		tools = registry.New()
	}
	return tools, release, nil
}

// ListTools implements the service.
func (s *Server) ListTools(ctx context.Context, request *codemodev1.ListToolsRequest) (*codemodev1.ListToolsResponse, error) {
	tools, release, err := s.shown(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	response := &codemodev1.ListToolsResponse{}
	for _, entry := range tools.Entries() {
		if entry.Name() <= request.GetAfter() {
			continue
		}
		if len(response.GetTools()) == pageSize {
			response.More = true
			break
		}
		response.Tools = append(response.Tools, describe(entry))
	}
	return response, nil
}

// GetToolSchema implements the service.
func (s *Server) GetToolSchema(ctx context.Context, request *codemodev1.GetToolSchemaRequest) (*codemodev1.GetToolSchemaResponse, error) {
	tools, release, err := s.shown(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	entry, found := tools.Lookup(request.GetName())
	if !found {
		return nil, status.Errorf(codes.NotFound, "there is no tool %.256q", strings.ToValidUTF8(request.GetName(), "\uFFFD"))
	}
	response := &codemodev1.GetToolSchemaResponse{Tool: describe(entry), InputSchema: entry.Input().JSON(), Stub: entry.Stub()}
	if entry.Output() != nil {
		response.OutputSchema = entry.Output().JSON()
	}
	return response, nil
}

func describe(entry *registry.Entry) *codemodev1.ToolDescription {
	return &codemodev1.ToolDescription{Name: entry.Name(), Description: entry.Description()}
}
