package openapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/codemode-sdk/codemode/registry"
)

// invalid is an argument that cannot be sent.
func invalid(format string, args ...any) error {
	return &registry.ToolError{Kind: registry.KindInvalidArguments, Message: fmt.Sprintf(format, args...)}
}

// plainText is a scalar as it stands in a URL, before it is escaped; what is no scalar is JSON.
func plainText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case json.Number:
		return v.String()
	}
	return string(jsonText(v))
}

// jsonText is a plain value as JSON, in which HTML is nothing special.
func jsonText(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return []byte("null") // plain values can all be written
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// sorted gives an object's keys in an order that is always the same.
func sorted(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }

// inPathText writes a value for the place of {name} in a path, escaped.
func (p *parameter) inPathText(v any) (string, error) {
	if p.json {
		v = string(jsonText(v))
	}
	prefix, separator := "", ","
	switch p.style {
	case "label":
		prefix = "."
		if p.explode {
			separator = "."
		}
	case "matrix":
		prefix = ";" + url.PathEscape(p.name) + "="
		if p.explode {
			separator = ";" + url.PathEscape(p.name) + "="
		}
	}
	var parts []string
	add := func(v any) error {
		text := plainText(v)
		if err := p.checkStep(text); err != nil {
			return err
		}
		parts = append(parts, strings.ReplaceAll(url.PathEscape(text), ",", "%2C"))
		return nil
	}
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			if err := add(item); err != nil {
				return "", err
			}
		}
	case map[string]any:
		for _, key := range sorted(v) {
			if err := add(key); err != nil {
				return "", err
			}
			if err := add(v[key]); err != nil {
				return "", err
			}
		}
		if p.explode { // key=value in place of key,value
			pairs := parts[:0:0]
			for i := 0; i < len(parts); i += 2 {
				pairs = append(pairs, parts[i]+"="+parts[i+1])
			}
			parts = pairs
			if p.style == "matrix" {
				prefix, separator = ";", ";"
			}
		}
	default:
		if err := add(v); err != nil {
			return "", err
		}
	}
	if len(parts) == 0 {
		return "", invalid("%s: it is a part of the path and must not be empty", p.argument)
	}
	return prefix + strings.Join(parts, separator), nil
}

// checkStep refuses what a server or a proxy on the way could take for another path: text
// is escaped behind it, but some decode before they look for steps, and some twice.
func (p *parameter) checkStep(text string) error {
	if text == "" {
		return invalid("%s: it is a part of the path and must not be empty", p.argument)
	}
	for range 4 {
		if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return invalid("%s: it is a part of the path and must not hold control characters", p.argument)
		}
		for _, step := range strings.FieldsFunc(text, func(r rune) bool { return r == '/' || r == '\\' || r == ';' }) {
			if step == "." || step == ".." {
				return invalid("%s: it is a part of the path and must not hold the step %q", p.argument, step)
			}
		}
		decoded, err := url.PathUnescape(text)
		if err != nil || decoded == text {
			return nil //nolint:nilerr // it is no encoding, so nobody decodes it
		}
		text = decoded
	}
	return invalid("%s: it is a part of the path and is encoded too often", p.argument)
}

// pairs gives a value for a query or a form, as name=value, escaped.
func (p *parameter) pairs(v any) ([]string, error) {
	escape := url.QueryEscape
	if p.reserved {
		escape = escapeReserved
	}
	name := url.QueryEscape(p.name)
	pair := func(name string, v any) string { return name + "=" + escape(plainText(v)) }
	if p.json {
		return []string{pair(name, string(jsonText(v)))}, nil
	}
	if p.style == "deepObject" {
		return deep(nil, name, v, escape), nil
	}
	separator := map[string]string{"spaceDelimited": " ", "pipeDelimited": "|"}[p.style]
	switch v := v.(type) {
	case []any:
		if p.explode {
			list := make([]string, len(v))
			for i, item := range v {
				list[i] = pair(name, item)
			}
			return list, nil
		}
		return p.joined(name, v, separator, escape)
	case map[string]any:
		if p.explode {
			list := make([]string, 0, len(v))
			for _, key := range sorted(v) {
				list = append(list, pair(url.QueryEscape(key), v[key]))
			}
			return list, nil
		}
		flat := make([]any, 0, 2*len(v))
		for _, key := range sorted(v) {
			flat = append(flat, key, v[key])
		}
		return p.joined(name, flat, separator, escape)
	}
	return []string{pair(name, v)}, nil
}

// joined writes a list in one value. A comma in an item is escaped, unlike those between
// them; no other separator can be told apart so.
func (p *parameter) joined(name string, list []any, separator string, escape func(string) string) ([]string, error) {
	parts := make([]string, len(list))
	for i, item := range list {
		text := plainText(item)
		if separator != "" && strings.Contains(text, separator) {
			return nil, invalid("%s: its items must not hold %q, which stands between them", p.argument, separator)
		}
		parts[i] = strings.ReplaceAll(escape(text), ",", "%2C")
	}
	if separator == "" {
		return []string{name + "=" + strings.Join(parts, ",")}, nil
	}
	return []string{name + "=" + strings.Join(parts, url.PathEscape(separator))}, nil
}

// deep writes name[key]=value, and lists by their indexes.
func deep(list []string, name string, v any, escape func(string) string) []string {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range sorted(v) {
			list = deep(list, name+"["+url.QueryEscape(key)+"]", v[key], escape)
		}
	case []any:
		for i, item := range v {
			list = deep(list, name+"["+strconv.Itoa(i)+"]", item, escape)
		}
	default:
		list = append(list, name+"="+escape(plainText(v)))
	}
	return list
}

var reserved = strings.NewReplacer("%3A", ":", "%2F", "/", "%3F", "?", "%40", "@", "%21", "!", "%24", "$",
	"%27", "'", "%28", "(", "%29", ")", "%2A", "*", "%2C", ",")

// escapeReserved leaves those reserved characters that cannot end a value.
func escapeReserved(text string) string {
	return reserved.Replace(url.QueryEscape(text))
}

// headerText writes a value for a header.
func (p *parameter) headerText(v any) (string, error) {
	if p.json {
		v = string(jsonText(v))
	}
	var text string
	switch v := v.(type) {
	case []any:
		parts := make([]string, len(v))
		for i, item := range v {
			parts[i] = plainText(item)
		}
		text = strings.Join(parts, ",")
	case map[string]any:
		between := ","
		if p.explode {
			between = "="
		}
		parts := make([]string, 0, len(v))
		for _, key := range sorted(v) {
			parts = append(parts, key+between+plainText(v[key]))
		}
		text = strings.Join(parts, ",")
	default:
		text = plainText(v)
	}
	if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
		return "", invalid("%s: it is a header and must be one line without control characters", p.argument)
	}
	return strings.TrimSpace(text), nil
}
