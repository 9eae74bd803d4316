package codemode

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/codemode-sdk/codemode/executorclient"
	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/registry"
	"github.com/codemode-sdk/codemode/schema"
)

// searchText bounds what one search tells the model, in bytes.
const searchText = 32 << 10

// searchParameters are the arguments of tools.search in a program.
const searchParameters = `{"type":"object","properties":{` +
	`"query":{"type":"string","description":"Words for what a tool does, or its name."},` +
	`"limit":{"type":"integer","description":"The most results: 10 if left out, 100 at most."},` +
	`"detail":{"type":"string","enum":["names","brief","full"],"description":"names; a line with the signature each, if left out; or all that is known."}` +
	`},"required":["query"],"additionalProperties":false}`

func checkSearchTool(search, tool string) error {
	if search == "" {
		return nil
	}
	if search == tool {
		return fault.New(fault.Invalid, "the tool that searches cannot be called %q, as the tool that runs programs is", search).
			WithRemedy("choose another, such as search_tools")
	}
	return checkToolName(search)
}

// searchTool is the function tool that Options.SearchTool names.
func (c *Codemode) searchTool() Tool {
	return Tool{
		Name: c.searchName,
		Description: fmt.Sprintf("Search the tools that the programs of %s can call, by what they do. The best come first, "+
			"with their signatures, in which: %s", c.toolName, schema.Legend),
		Parameters: json.RawMessage(searchParameters),
		Policy:     registry.Policy{ReadOnly: true, Idempotent: true},
		Call:       c.search,
	}
}

// search answers a call of that tool: what it says is for the model, and an error only that
// ctx has ended.
func (c *Codemode) search(ctx context.Context, arguments string) (string, error) {
	if ctx.Err() != nil {
		return "", fault.Wrap(fault.Cancelled, context.Cause(ctx), "the search was cancelled")
	}
	query, limit, detail := searchOf(arguments)
	if strings.TrimSpace(query) == "" || query == "{}" {
		return `Nothing was searched: the argument "query" wants words for what the tool does.`, nil
	}
	list, err := executorclient.Search(c.registry.View(), query, limit, detail)
	if failure, ok := errors.AsType[*registry.ToolError](err); ok {
		return "ToolError (" + failure.Kind + "): " + failure.Message, nil
	} else if err != nil {
		return "", err
	}
	var b strings.Builder
	for i, text := range list {
		if b.Len()+len(text) > searchText && i > 0 {
			fmt.Fprintf(&b, "(%d more are left out: ask for less detail, or for fewer)", len(list)-i)
			break
		}
		b.WriteString(strings.ToValidUTF8(text[:min(len(text), searchText)], "") + "\n")
	}
	return cmp.Or(strings.TrimSuffix(b.String(), "\n"), "No tool fits. Try other words for what it does."), nil
}

// searchOf reads what a model sent: the arguments of the schema, or bare words.
func searchOf(arguments string) (query string, limit int, detail string) {
	var given struct {
		Query  *string `json:"query"`
		Words  *string `json:"words"`
		Arg1   *string `json:"__arg1"`
		Limit  float64 `json:"limit"`
		Detail string  `json:"detail"`
	}
	text := strings.TrimSpace(arguments)
	_ = json.Unmarshal([]byte(text), &given) // of what does not fit, the rest counts
	if query := cmp.Or(given.Query, given.Words, given.Arg1); query != nil {
		return *query, int(min(max(given.Limit, 0), 100)), given.Detail
	}
	var quoted string
	if json.Unmarshal([]byte(text), &quoted) == nil {
		text = quoted
	}
	return text, 0, ""
}
