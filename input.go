package codemode

import (
	"encoding/json"
	"strings"

	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/registry"
)

// wrapperName is what agent frameworks call the one argument of a function that they take
// to have no schema, and put all of the arguments into.
const wrapperName = "__arg1"

// programNames are what models and agent frameworks call the one argument.
var programNames = []string{"code", wrapperName, "input", "program", "python", "script", "source", "query"}

// Program finds the Python program in what a model sent as the function tool's arguments,
// as Codemode.Call does; for adapters that need the whole Result. A JSON object without one
// is a CodeInvalid error whose text is for the model; what was sent comes with it.
func Program(arguments string) (string, error) {
	text := strings.TrimSpace(arguments)
	switch {
	case strings.HasPrefix(text, "{"):
		if code, isObject, err := argumentOf(text); err != nil {
			return arguments, err
		} else if isObject {
			return unfence(code), nil
		}
	case strings.HasPrefix(text, `"`):
		var code string
		if json.Unmarshal([]byte(text), &code) == nil {
			// The arguments, encoded once more.
			inner, isObject, err := argumentOf(strings.TrimSpace(code))
			switch {
			case err != nil:
				return arguments, err
			case isObject:
				code = inner
			}
			return unfence(code), nil
		}
	}
	code := unfence(arguments)
	if inner, isObject, err := argumentOf(strings.TrimSpace(code)); isObject && err == nil && code != arguments {
		return unfence(inner), nil // the whole call in a fence
	}
	return code, nil
}

// argumentOf takes the program out of text, if that is a JSON object. The error is that
// there is none in it.
func argumentOf(text string) (code string, isObject bool, err error) {
	if !strings.HasPrefix(text, "{") {
		return "", false, nil
	}
	var object map[string]any
	read := json.Unmarshal([]byte(text), &object) == nil ||
		json.Unmarshal([]byte(escapeLineBreaks(text)), &object) == nil
	if !read {
		return "", false, nil
	}
	for _, name := range programNames {
		code, ok := object[name].(string)
		if lines, several := object[name].([]any); several {
			code, ok = joined(lines)
		}
		if !ok {
			continue
		}
		if inner, isObject, err := argumentOf(strings.TrimSpace(code)); isObject && len(object) == 1 {
			if err == nil {
				return inner, true, nil
			}
			if name == wrapperName {
				return "", true, err
			}
		}
		return code, true, nil // a dict that happens to be all of the program is left alone
	}
	return "", true, withoutProgram(object)
}

func withoutProgram(object map[string]any) error {
	what := `the argument "code" is missing`
	if _, given := object["code"]; given {
		what = `the argument "code" is not a string`
	}
	return fault.New(fault.Invalid, "ToolError (%s): %s, and nothing was run", registry.KindInvalidArguments, what).
		WithRemedy(`send {"code": "..."} with the Python program in it`)
}

// joined makes a program of its lines.
func joined(lines []any) (code string, ok bool) {
	for _, line := range lines {
		text, isText := line.(string)
		if !isText {
			return "", false
		}
		code += strings.TrimSuffix(text, "\n") + "\n"
	}
	return code, len(lines) > 0
}

// escapeLineBreaks mends what models get wrong most often in JSON: line breaks and tabs
// that stand in a string as they are.
func escapeLineBreaks(text string) string {
	var b strings.Builder
	inString, escaped := false, false
	for _, r := range text {
		switch {
		case inString && r == '\n':
			b.WriteString(`\n`)
			escaped = false
			continue
		case inString && r == '\r':
			b.WriteString(`\r`)
			escaped = false
			continue
		case inString && r == '\t':
			b.WriteString(`\t`)
			escaped = false
			continue
		case r == '"' && !escaped:
			inString = !inString
		}
		escaped = r == '\\' && !escaped
		b.WriteRune(r)
	}
	return b.String()
}

// fence begins and ends a block of code in Markdown.
const fence = "```"

// unfence takes a program out of the Markdown around it. A program that has a fence
// somewhere inside, in a string, begins with something else and is left alone, unless
// what it begins with is prose: then the fenced blocks are the program.
func unfence(text string) string {
	trimmed := strings.TrimSpace(text)
	if !strings.HasPrefix(trimmed, fence) && !proseThenFence(trimmed) {
		return text
	}
	var program []string
	inside := false
	for line := range strings.Lines(trimmed) {
		if mark := strings.TrimSpace(line); strings.HasPrefix(mark, fence) && (!inside || mark == fence) {
			inside = !inside
			continue
		}
		if inside {
			program = append(program, line)
		}
	}
	return strings.Join(program, "")
}

// proseThenFence recognises a sentence, such as "Here is the program:", before a fence.
func proseThenFence(text string) bool {
	before, _, found := strings.Cut(text, "\n"+fence)
	if !found {
		return false
	}
	first, _, _ := strings.Cut(strings.TrimSpace(before), "\n")
	first = strings.TrimSpace(first)
	words := strings.Fields(first)
	return len(words) >= 2 && strings.ContainsAny(first[len(first)-1:], ":.!") &&
		!strings.ContainsAny(first, "=()[]{}#\"'") && !isPythonStart[words[0]]
}

// isPythonStart are words that begin a compound statement, which ends its line with a
// colon as a sentence may.
var isPythonStart = map[string]bool{
	"if": true, "for": true, "while": true, "with": true, "try:": true, "def": true,
	"class": true, "async": true, "match": true, "else:": true, "import": true, "from": true,
}
