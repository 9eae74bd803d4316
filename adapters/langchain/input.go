package langchain

import (
	"encoding/json"
	"strings"
)

// programIn takes what an agent read out of a model's text, and passes on the program: with
// what agents leave of the text around it, Codemode.Call would run that too.
func programIn(input string) string {
	text := strings.TrimSpace(input)
	for _, label := range []string{"Action Input:", "action_input:"} {
		if rest, found := strings.CutPrefix(text, label); found {
			text = strings.TrimSpace(rest)
		}
	}
	if strings.HasPrefix(text, "```") {
		return text // Codemode.Call leaves out what is behind the fence
	}
	if end := observation(text); end >= 0 {
		text = strings.TrimSpace(text[:end])
	}
	if inner, found := strings.CutPrefix(text, "`"); found && strings.HasSuffix(inner, "`") {
		return strings.TrimSpace(strings.TrimSuffix(inner, "`")) // no program begins with one
	}
	return text
}

// argumentsIn takes the JSON object of another tool's arguments out of the same.
func argumentsIn(input string) string {
	text := programIn(input)
	if fenced, found := strings.CutPrefix(text, "```"); found {
		text, _, _ = strings.Cut(strings.TrimPrefix(fenced, "json"), "```")
	}
	var wrapped struct {
		Arg1 *string `json:"__arg1"`
	}
	if json.Unmarshal([]byte(text), &wrapped) == nil && wrapped.Arg1 != nil {
		text = *wrapped.Arg1
	}
	return strings.TrimSpace(text)
}

// observation finds where a model went on to make up what the program gave; -1 if it did not.
func observation(text string) int {
	at := 0
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "Observation:") {
			return at
		}
		at += len(line)
	}
	return -1
}
