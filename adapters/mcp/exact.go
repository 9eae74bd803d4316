package mcp

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"sync/atomic"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
)

// The SDK decodes schemas and structured results into Go maps and float64s, which loses
// the order of parameters and the digits of long integers. The text of both therefore
// travels past it, as strings in the _meta of the tool or result.

// exactMeta is the key in _meta.
const exactMeta = "codemode/exact"

// exactTool is what is kept of a tool's definition.
type exactTool struct {
	Input  json.RawMessage `json:"inputSchema,omitempty"`
	Output json.RawMessage `json:"outputSchema,omitempty"`
}

// keepExact copies into a response's result what would be lost. What it does not
// recognise it leaves alone: to refuse it is the SDK's part.
func keepExact(result json.RawMessage) json.RawMessage {
	if !bytes.Contains(result, []byte(`"structuredContent"`)) && !bytes.Contains(result, []byte(`"tools"`)) {
		return result
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(result, &fields) != nil {
		return result
	}
	if structured, ok := fields["structuredContent"]; ok {
		delete(fields, "structuredContent")
		fields["_meta"] = withExact(fields["_meta"], structured)
	}
	var tools []map[string]json.RawMessage
	if json.Unmarshal(fields["tools"], &tools) == nil && tools != nil {
		for _, tool := range tools {
			if tool == nil {
				continue
			}
			if kept, err := json.Marshal(exactTool{tool["inputSchema"], tool["outputSchema"]}); err == nil {
				tool["_meta"] = withExact(tool["_meta"], kept)
			}
		}
		if all, err := json.Marshal(tools); err == nil {
			fields["tools"] = all
		}
	}
	if changed, err := json.Marshal(fields); err == nil {
		return changed
	}
	return result
}

func withExact(meta, text json.RawMessage) json.RawMessage {
	fields := map[string]json.RawMessage{}
	_ = json.Unmarshal(meta, &fields) // what is no object is replaced by one
	if fields == nil {
		fields = map[string]json.RawMessage{}
	}
	quoted, err := json.Marshal(string(text))
	if err != nil {
		return meta
	}
	fields[exactMeta] = quoted
	changed, err := json.Marshal(fields)
	if err != nil {
		return meta
	}
	return changed
}

// exactText gives back what keepExact kept.
func exactText(meta sdk.Meta) (json.RawMessage, bool) {
	text, ok := meta[exactMeta].(string)
	return json.RawMessage(text), ok
}

// An exactTransport is any transport but that of HTTP, whose connection the SDK has to
// know by its type.
type exactTransport struct {
	sdk.Transport
	maximum    int // bytes of one result
	connection sdk.Connection
}

func (t *exactTransport) Connect(ctx context.Context) (sdk.Connection, error) {
	connection, err := t.Transport.Connect(ctx)
	if err != nil {
		return nil, err
	}
	t.connection = connection
	return exactConnection{connection, t.maximum}, nil
}

// abandon closes a connection that did not become a session, which the SDK does not do
// in every case.
func (t *exactTransport) abandon() {
	if t.connection != nil {
		_ = t.connection.Close() // nothing more is expected of it
	}
}

type exactConnection struct {
	sdk.Connection
	maximum int
}

func (c exactConnection) Read(ctx context.Context) (jsonrpc.Message, error) {
	message, err := c.Connection.Read(ctx)
	if response, ok := message.(*jsonrpc.Response); ok && response != nil && err == nil {
		if len(response.Result) > c.maximum {
			response.Result, response.Error = nil, errMessageTooLarge
		} else {
			response.Result = keepExact(response.Result)
		}
	}
	return message, err
}

// An exactRoundTripper is the same for HTTP. It also adds headers, and bounds messages.
type exactRoundTripper struct {
	next    http.RoundTripper
	origin  string // scheme and host that the headers are for
	header  http.Header
	maximum int // bytes of one message
}

var errMessageTooLarge = errors.New("the server sent a message beyond the limit on its size")

// RoundTrip sends the request; a redirect to another host gets none of the headers.
func (t *exactRoundTripper) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.URL.Scheme+"://"+request.URL.Host == t.origin && len(t.header) > 0 {
		request = request.Clone(request.Context())
		for name, values := range t.header {
			request.Header[http.CanonicalHeaderKey(name)] = values
		}
	}
	response, err := t.next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	tooLarge := func() error {
		if flag, ok := request.Context().Value(tooLargeKey{}).(*atomic.Bool); ok {
			flag.Store(true)
		}
		return errMessageTooLarge
	}
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")) // the SDK refuses what is neither
	switch kind {
	case "application/json":
		response.Body = &messageBody{body: response.Body, maximum: t.maximum, tooLarge: tooLarge}
		response.ContentLength = -1
	case "text/event-stream":
		response.Body = &eventBody{body: response.Body, lines: bufio.NewReader(response.Body), maximum: t.maximum, tooLarge: tooLarge}
		response.ContentLength = -1
	default:
		response.Body = &limitedBody{response.Body, int64(t.maximum), tooLarge}
	}
	return response, nil
}

// keepExactMessage is keepExact for a whole JSON-RPC message.
func keepExactMessage(message []byte) []byte {
	var fields map[string]json.RawMessage
	if json.Unmarshal(message, &fields) != nil || fields["result"] == nil {
		return message
	}
	fields["result"] = keepExact(fields["result"])
	if changed, err := json.Marshal(fields); err == nil {
		return changed
	}
	return message
}

// A messageBody is a body that is one message.
type messageBody struct {
	body     io.ReadCloser
	maximum  int
	tooLarge func() error
	read     bool
	rest     []byte
}

func (b *messageBody) Read(p []byte) (int, error) {
	if !b.read {
		message, err := io.ReadAll(io.LimitReader(b.body, int64(b.maximum)+1))
		if err != nil {
			return 0, err
		}
		if len(message) > b.maximum {
			return 0, b.tooLarge()
		}
		b.read, b.rest = true, keepExactMessage(message)
	}
	if len(b.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

func (b *messageBody) Close() error { return b.body.Close() }

// An eventBody is a body of server-sent events, with a message in the data line of each.
// A message that a server spreads over several lines is legal, seen nowhere, and passes
// as it is: it is decoded as the SDK does it.
type eventBody struct {
	body     io.Closer
	lines    *bufio.Reader
	maximum  int
	tooLarge func() error
	rest     []byte
	err      error
}

func (b *eventBody) Read(p []byte) (int, error) {
	if len(b.rest) == 0 {
		if b.err != nil {
			return 0, b.err
		}
		b.rest, b.err = b.line()
		if data, found := bytes.CutPrefix(b.rest, []byte("data:")); found {
			message := bytes.TrimSpace(data)
			ending := data[len(bytes.TrimRight(data, "\r\n")):]
			b.rest = append(append([]byte("data: "), keepExactMessage(message)...), ending...)
		}
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	if n == 0 && len(p) > 0 {
		return 0, b.err
	}
	return n, nil
}

// line gives the next line with its ending; the last one may have none.
func (b *eventBody) line() ([]byte, error) {
	var line []byte
	for {
		part, err := b.lines.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > b.maximum:
			return nil, b.tooLarge()
		case !errors.Is(err, bufio.ErrBufferFull):
			return line, err
		}
	}
}

func (b *eventBody) Close() error { return b.body.Close() }

// A limitedBody is anything else, such as the text of an error.
type limitedBody struct {
	io.ReadCloser
	left     int64
	tooLarge func() error
}

func (b *limitedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, b.tooLarge()
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
