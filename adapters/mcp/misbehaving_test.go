package mcp_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/codemode-sdk/codemode/adapters/mcp"
	"github.com/codemode-sdk/codemode/internal/waittest"
	"github.com/codemode-sdk/codemode/registry"
)

// scripted is a Source of a server that answers each method with a JSON text, whatever
// that is, and those that it does not know with an error.
func scripted(answers map[string]string) *mcp.Source {
	known := map[string]string{
		"initialize": `{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"s","version":"1"}}`,
		"tools/list": `{"tools":[{"name":"t","inputSchema":{"type":"object"}}]}`,
	}
	for method, answer := range answers {
		known[method] = answer
	}
	return &mcp.Source{Name: "s", ConnectTimeout: waittest.Patience, MaxMessageBytes: 1 << 20, Transport: func(context.Context) (sdk.Transport, error) {
		requests, hereOut := io.Pipe()
		hereIn, answers := io.Pipe()
		go func() {
			defer answers.Close()
			lines := bufio.NewScanner(requests)
			for lines.Scan() {
				var r struct {
					ID     json.RawMessage
					Method string
				}
				if json.Unmarshal(lines.Bytes(), &r) != nil || r.ID == nil {
					continue
				}
				line := fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"error":{"code":-32601,"message":"unknown"}}`, r.ID)
				if answer, ok := known[r.Method]; ok {
					line = fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":%s}`, r.ID, answer)
				}
				if _, err := io.WriteString(answers, line+"\n"); err != nil {
					return
				}
			}
		}()
		return &sdk.IOTransport{Reader: hereIn, Writer: hereOut}, nil
	}}
}

func TestAServerThatLiesIsAnErrorAndNoCrash(t *testing.T) {
	for name, test := range map[string]struct{ answer, kind, message string }{
		"a result that is no object":    {`[1]`, registry.KindUnavailable, ""},
		"a result of null":              {`null`, "", ""},
		"content that is no list":       {`{"content":7}`, registry.KindUnavailable, ""},
		"content of an unknown kind":    {`{"content":[{"type":"hologram"}]}`, registry.KindUnavailable, ""},
		"content of null":               {`{"content":[null]}`, registry.KindUnavailable, ""},
		"an image that is not base64":   {`{"content":[{"type":"image","data":"***"}]}`, registry.KindUnavailable, ""},
		"a resource without contents":   {`{"content":[{"type":"resource"}]}`, registry.KindFailed, "without contents"},
		"an error flag that is no flag": {`{"content":[],"isError":"yes"}`, registry.KindUnavailable, ""},
		"a model's own content":         {`{"content":[{"type":"tool_use","id":"1","name":"x","input":{}}]}`, registry.KindFailed, "of a kind that a result cannot have"},
		"a meta that is no object":      {`{"structuredContent":{"a":1},"_meta":7}`, "", ""},
		"a forged exact copy":           {`{"content":[],"_meta":{"codemode/exact":"not JSON"}}`, registry.KindFailed, "cannot be sent"},
		"deep nesting":                  {`{"structuredContent":` + strings.Repeat("[", 900) + strings.Repeat("]", 900) + `}`, registry.KindFailed, ""},
		"a message beyond the limit":    {`{"content":[{"type":"text","text":"` + strings.Repeat("x", 1<<20) + `"}]}`, registry.KindTooLarge, ""},
		"a wish for a person":           {`{"resultType":"input_required","inputRequests":{},"content":[]}`, registry.KindFailed, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := start(t, scripted(map[string]string{"tools/call": test.answer})).Call(t.Context(), "s.t", nil)
			if test.kind == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantKind(t, err, test.kind, test.message)
		})
	}
}

func TestAListOfToolsThatMakesNoSenseIsAnErrorOrLeavesOut(t *testing.T) {
	for name, test := range map[string]struct {
		answer string
		tools  string // or an error
	}{
		"no list":             {`{"tools":7}`, "error"},
		"null":                {`{"tools":null}`, ""},
		"null among them":     {`{"tools":[null,{"name":"a","inputSchema":{"type":"object"}}]}`, "s.a"},
		"no name":             {`{"tools":[{"inputSchema":{"type":"object"}},{"name":"a","inputSchema":{"type":"object"}}]}`, "s.a"},
		"no schema":           {`{"tools":[{"name":"a"}]}`, "s.a"},
		"a schema of a list":  {`{"tools":[{"name":"a","inputSchema":{"type":"array"}}]}`, "error"},
		"a schema that is 7":  {`{"tools":[{"name":"a","inputSchema":7}]}`, "error"},
		"the same name twice": {`{"tools":[{"name":"a"},{"name":"a"}]}`, "s.a"},
		"a cursor in a loop":  {`{"tools":[],"nextCursor":"again"}`, "error"},
		"a name with control": {`{"tools":[{"name":"a\nb"},{"name":"c"}]}`, "s.c"},
	} {
		t.Run(name, func(t *testing.T) {
			source, reg := scripted(map[string]string{"tools/list": test.answer}), registry.New()
			err := source.Start(t.Context(), reg)
			if (err != nil) != (test.tools == "error") {
				t.Errorf("Start gave %v", err)
			}
			var names []string
			for _, entry := range reg.Entries() {
				names = append(names, entry.Name())
			}
			if got := strings.Join(names, " "); err == nil && got != test.tools {
				t.Errorf("the tools are %q", got)
			}
			if err := source.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
