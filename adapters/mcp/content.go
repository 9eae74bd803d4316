package mcp

import (
	"encoding/json"
	"fmt"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/codemode-sdk/codemode/registry"
)

// valueOf is a call's result as the program gets it; see Results in the package comment.
func valueOf(result *sdk.CallToolResult, structuredPromised bool) (any, error) {
	if result.NeedsInput() {
		return nil, &registry.ToolError{Kind: registry.KindFailed, Message: "the server asks a person for input, and there is nobody to ask"}
	}
	structured, isStructured := exactText(result.Meta)
	isStructured = isStructured && string(structured) != "null"
	if !isStructured && result.StructuredContent != nil {
		text, err := json.Marshal(result.StructuredContent)
		if err != nil {
			return nil, fmt.Errorf("the structured result is not JSON: %w", err)
		}
		structured, isStructured = text, true
	}
	if result.IsError {
		return nil, &registry.ToolError{Kind: registry.KindFailed, Message: failureText(result.Content, structured)}
	}
	switch {
	case isStructured && (structuredPromised || onlyText(result.Content)):
		return structured, nil
	case structuredPromised:
		return promisedText(result.Content)
	}
	var values []any
	if isStructured {
		values = append(values, structured)
	}
	for _, block := range result.Content {
		if text, ok := block.(*sdk.TextContent); ok && isStructured && text != nil {
			continue // the structured value again, in words
		}
		value, err := blockValue(block)
		if err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	switch len(values) {
	case 0:
		return nil, nil
	case 1:
		return values[0], nil
	}
	return values, nil
}

// promisedText is the result of a tool that declares a schema for it and gave text.
// Servers from before structured results had a field of their own put the JSON there.
func promisedText(content []sdk.Content) (any, error) {
	text := textOf(content)
	if len(content) == 1 && json.Valid([]byte(text)) {
		return json.RawMessage(text), nil
	}
	if text == "" {
		text = fmt.Sprintf("%d blocks of content without text", len(content))
	}
	return nil, &registry.ToolError{
		Kind:    registry.KindFailed,
		Message: "the server declares a structured result for this tool and gave none; it said: " + text,
	}
}

func failureText(content []sdk.Content, structured json.RawMessage) string {
	if text := textOf(content); text != "" {
		return text
	}
	if len(structured) > 0 {
		return string(structured)
	}
	return "the tool failed without saying why"
}

func textOf(content []sdk.Content) string {
	var texts []string
	for _, block := range content {
		if text, ok := block.(*sdk.TextContent); ok && text.Text != "" {
			texts = append(texts, text.Text)
		}
	}
	return strings.Join(texts, "\n")
}

func onlyText(content []sdk.Content) bool {
	for _, block := range content {
		if _, ok := block.(*sdk.TextContent); !ok {
			return false
		}
	}
	return true
}

// blockValue is a str for text, and else a dict with the protocol's own names.
func blockValue(block sdk.Content) (any, error) {
	fields := map[string]any{}
	add := func(name, text string) {
		if text != "" {
			fields[name] = text
		}
	}
	switch block := block.(type) {
	case *sdk.TextContent:
		return block.Text, nil
	case *sdk.ImageContent:
		fields["type"], fields["data"] = "image", notNil(block.Data)
		add("mimeType", block.MIMEType)
	case *sdk.AudioContent:
		fields["type"], fields["data"] = "audio", notNil(block.Data)
		add("mimeType", block.MIMEType)
	case *sdk.ResourceLink:
		fields["type"], fields["uri"], fields["name"] = "resource_link", block.URI, block.Name
		add("title", block.Title)
		add("description", block.Description)
		add("mimeType", block.MIMEType)
		if block.Size != nil {
			fields["size"] = *block.Size
		}
	case *sdk.EmbeddedResource:
		if block.Resource == nil {
			return nil, fmt.Errorf("the server sent an embedded resource without contents")
		}
		fields["type"], fields["uri"] = "resource", block.Resource.URI
		add("mimeType", block.Resource.MIMEType)
		if block.Resource.Blob != nil {
			fields["blob"] = block.Resource.Blob
		} else {
			fields["text"] = block.Resource.Text
		}
	default:
		return nil, fmt.Errorf("the server sent content of a kind that a result cannot have: %T", block)
	}
	return fields, nil
}

// notNil has no data arrive as b” and not as None.
func notNil(data []byte) []byte {
	if data == nil {
		return []byte{}
	}
	return data
}
