package openapi

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/internal/version"
	"github.com/codemode-sdk/codemode/registry"
)

// request makes the request of one call.
func (s *Source) request(ctx context.Context, op *operation, args registry.Args) (*http.Request, error) {
	given := args.Plain()
	path, err := op.path(given)
	if err != nil {
		return nil, err
	}
	query, err := op.query(given)
	if err != nil {
		return nil, err
	}
	var data []byte
	contentType := ""
	if op.body != nil {
		if data, contentType, err = op.body.encode(args); err != nil {
			return nil, err
		}
	}
	var payload io.Reader
	if contentType != "" {
		payload = bytes.NewReader(data)
	}
	target := strings.TrimSuffix(op.server, "/") + path
	if query != "" {
		target += "?" + query
	}
	request, err := http.NewRequestWithContext(ctx, op.Method, target, payload)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, withoutURL(err), "the request cannot be made")
	}
	for _, p := range op.parameters {
		v, ok := given[p.argument]
		if !ok || v == nil {
			continue
		}
		switch p.in {
		case "header":
			text, err := p.headerText(v)
			if err != nil {
				return nil, err
			}
			request.Header.Set(p.name, text)
		case "cookie":
			pairs, err := p.pairs(v)
			if err != nil {
				return nil, err
			}
			for _, pair := range pairs {
				name, value, _ := strings.Cut(pair, "=")
				request.AddCookie(&http.Cookie{Name: name, Value: strings.ReplaceAll(value, "+", "%20")})
			}
		}
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	request.Header.Set("Accept", op.accept)
	request.Header.Set("User-Agent", "codemode/"+version.String())
	for name, values := range s.Header {
		request.Header[http.CanonicalHeaderKey(name)] = append([]string{}, values...)
	}
	if s.Edit != nil {
		if err := s.Edit(request); err != nil {
			return nil, err
		}
	}
	return request, nil
}

// path fills the template in, escaped.
func (op *operation) path(given map[string]any) (string, error) {
	template, _, _ := strings.Cut(op.Path, "#") // as some documents tell operations apart
	template, _, _ = strings.Cut(template, "?")
	var b strings.Builder
	for template != "" {
		place := inBraces.FindStringSubmatchIndex(template)
		if place == nil {
			b.WriteString(escapePath(template))
			break
		}
		b.WriteString(escapePath(template[:place[0]]))
		name := template[place[2]:place[3]]
		for _, p := range op.parameters {
			if p.in != "path" || p.name != name {
				continue
			}
			text, err := p.inPathText(given[p.argument])
			if err != nil {
				return "", err
			}
			b.WriteString(text)
		}
		template = template[place[1]:]
	}
	for step := range strings.SplitSeq(b.String(), "/") {
		if step == "." || step == ".." {
			return "", invalid("the arguments would make the step %q of the path", step)
		}
	}
	return b.String(), nil
}

func escapePath(literal string) string { return (&url.URL{Path: "/" + literal}).EscapedPath()[1:] }

// query gives what is behind the question mark.
func (op *operation) query(given map[string]any) (string, error) {
	var pairs []string
	if _, fixed, found := strings.Cut(op.Path, "?"); found {
		fixed, _, _ = strings.Cut(fixed, "#")
		if values, err := url.ParseQuery(fixed); err == nil && len(values) > 0 {
			pairs = append(pairs, values.Encode())
		}
	}
	for i := range op.parameters {
		p := &op.parameters[i]
		v, ok := given[p.argument]
		if !ok || v == nil || p.in != "query" {
			continue
		}
		if members, ok := v.(map[string]any); ok && p.style == "form" && p.explode {
			for key := range members {
				if op.others[key] {
					return "", invalid("%s: the key %q would be another parameter", p.argument, key)
				}
			}
		}
		more, err := p.pairs(v)
		if err != nil {
			return "", err
		}
		pairs = append(pairs, more...)
	}
	return strings.Join(pairs, "&"), nil
}
