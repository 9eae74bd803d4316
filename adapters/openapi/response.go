package openapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/codemode-sdk/codemode/registry"
)

// maxErrorBytes bounds how much of a response's body an error shows.
const maxErrorBytes = 2 << 10

// readResponses gives the schema of the result, nil if the document does not say, and a
// note where the schema does not say it all.
func (op *operation) readResponses(d *document, responses *yaml.Node) (output json.RawMessage, note string) {
	type shape struct{ schema *yaml.Node }
	var success []shape
	nothing, text, binary := false, false, ""
	var accept []string
	add := func(ref *yaml.Node) {
		n, err := d.follow(ref)
		if err != nil {
			return
		}
		some := false
		for contentType, media := range fields(get(n, "content")) {
			plain, _, err := mime.ParseMediaType(contentType)
			if err != nil {
				continue
			}
			some = true
			if !slices.Contains(accept, plain) {
				accept = append(accept, plain)
			}
			switch {
			case isJSON(plain):
				success = append(success, shape{get(media, "schema")})
			case isText(plain):
				text = true
			default:
				binary = plain
			}
		}
		nothing = nothing || !some
	}
	for code, response := range fields(responses) {
		if len(code) == 3 && code[0] == '2' {
			add(response)
		}
	}
	if len(accept) == 0 && !nothing {
		if response := get(responses, "default"); response != nil {
			add(response)
		}
	}
	op.accept = "*/*"
	if len(accept) > 0 {
		op.accept = strings.Join(append(accept, "*/*;q=0.1"), ", ")
	}
	switch {
	case len(success) > 0:
	case binary != "":
		return nil, "Returns bytes (" + binary + ")."
	case text:
		success = append(success, shape{&yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{
			scalar("!!str", "type"), scalar("!!str", "string"),
		}}})
	default:
		return nil, ""
	}
	w, b := d.writer(false), &bytes.Buffer{}
	o := object{b: b}
	b.WriteByte('{')
	o.key("anyOf")
	b.WriteByte('[')
	written := map[string]bool{}
	for _, s := range success {
		var one bytes.Buffer
		if err := w.schema(&one, s.schema, "", 0); err != nil {
			return nil, "" // calling it works all the same
		}
		if written[one.String()] {
			continue
		}
		if len(written) > 0 {
			b.WriteByte(',')
		}
		written[one.String()] = true
		b.Write(one.Bytes())
	}
	if nothing {
		b.WriteString(`,{"type":"null"}`)
	}
	b.WriteByte(']')
	if err := w.definitions(&o); err != nil {
		return nil, ""
	}
	b.WriteByte('}')
	return b.Bytes(), ""
}

func isText(mediaType string) bool {
	return strings.HasPrefix(mediaType, "text/") || strings.HasSuffix(mediaType, "/xml") || strings.HasSuffix(mediaType, "+xml") || mediaType == "application/yaml"
}

// call makes one request and reads what comes back.
func (s *Source) call(ctx context.Context, op *operation, args registry.Args) (any, error) {
	request, err := s.request(ctx, op, args)
	if err != nil {
		return nil, err
	}
	response, err := s.client.Do(request)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		cause := withoutURL(err)
		return nil, &registry.ToolError{Kind: registry.KindUnavailable, Message: "the server gave no answer: " + cause.Error(), Err: cause}
	}
	defer func() { _ = response.Body.Close() }() // it has been read
	limit := s.MaxResponseBytes
	if limit == 0 {
		limit = DefaultMaxResponseBytes
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		limit = maxErrorBytes
	}
	data, err := io.ReadAll(io.LimitReader(response.Body, int64(limit)+1))
	if response.StatusCode >= http.StatusMultipleChoices {
		return nil, statusError(response, data)
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, &registry.ToolError{Kind: registry.KindUnavailable, Message: "the server's answer broke off: " + err.Error(), Err: err}
	case len(data) > limit:
		return nil, &registry.ToolError{Kind: registry.KindTooLarge, Message: fmt.Sprintf("the server's answer takes more than %d bytes, the limit: ask for less", limit)}
	}
	return result(response.Header.Get("Content-Type"), data)
}

// result makes a value of what the server sent.
func result(contentType string, data []byte) (any, error) {
	plain, _, _ := mime.ParseMediaType(contentType)
	switch {
	case len(data) == 0:
		return nil, nil //nolint:nilnil // None is the result
	case isJSON(plain):
		if !json.Valid(data) {
			return nil, &registry.ToolError{Kind: registry.KindFailed, Message: "the server's answer is said to be JSON and is not: " + short(string(data), 200)}
		}
		return json.RawMessage(data), nil
	case isText(plain), plain == "":
		if utf8.Valid(data) {
			return string(data), nil
		}
	}
	return data, nil
}

// statusError tells of a status that is no success.
func statusError(response *http.Response, data []byte) error {
	kind := registry.KindFailed
	switch response.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		kind = registry.KindDenied
	case http.StatusRequestTimeout, http.StatusGatewayTimeout:
		kind = registry.KindTimeout
	case http.StatusTooManyRequests:
		kind = registry.KindLimit
	case http.StatusBadGateway, http.StatusServiceUnavailable:
		kind = registry.KindUnavailable
	}
	message := strings.TrimSpace(fmt.Sprintf("HTTP %d %s", response.StatusCode, http.StatusText(response.StatusCode)))
	if after := response.Header.Get("Retry-After"); after != "" {
		message += " (retry after " + short(after, 40) + ")"
	}
	if response.StatusCode < http.StatusBadRequest {
		message += ": a redirect that is not followed"
	} else if text := strings.TrimSpace(string(data)); text != "" {
		if utf8.ValidString(text) || len(data) > maxErrorBytes {
			message += ": " + short(text, maxErrorBytes)
		} else {
			message += fmt.Sprintf(": %d bytes that are no text", len(data))
		}
	}
	return &registry.ToolError{Kind: kind, Message: message}
}

// withoutURL takes the URL out of an error: it may hold what Edit put there.
func withoutURL(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}
