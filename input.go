package codemode

import (
	"encoding/json"
	"strings"
)

// programNames are what models and agent frameworks call the one argument.
var programNames = []string{"code", "__arg1", "input", "program", "python", "script", "source", "query"}

// Program finds the Python program in what a model sent as the function tool's arguments,
// as Codemode.Call does; for adapters that need the whole Result.
func Program(arguments string) string { return programOf(arguments) }

// programOf finds the Python program in what a model sent.
func programOf(arguments string) string {
	text := strings.TrimSpace(arguments)
	switch {
	case strings.HasPrefix(text, "{"):
		if code, ok := argumentOf(text); ok {
			return unfence(code)
		}
	case strings.HasPrefix(text, `"`):
		var code string
		if json.Unmarshal([]byte(text), &code) == nil {
			// The arguments, encoded once more.
			if inner, ok := argumentOf(strings.TrimSpace(code)); ok {
				code = inner
			}
			return unfence(code)
		}
	}
	code := unfence(arguments)
	if inner, ok := argumentOf(strings.TrimSpace(code)); ok && code != arguments {
		return unfence(inner) // the whole call in a fence
	}
	return code
}

// argumentOf takes the program out of a JSON object; a dict that happens to be the
// whole of a Python program is left alone.
func argumentOf(text string) (string, bool) {
	if !strings.HasPrefix(text, "{") {
		return "", false
	}
	var object map[string]any
	if json.Unmarshal([]byte(text), &object) != nil &&
		json.Unmarshal([]byte(escapeLineBreaks(text)), &object) != nil {
		return "", false
	}
	for _, name := range programNames {
		code, ok := object[name].(string)
		if lines, several := object[name].([]any); several {
			code, ok = joined(lines)
		}
		if ok {
			if inner, ok := argumentOf(strings.TrimSpace(code)); ok && len(object) == 1 {
				return inner, true
			}
			return code, true
		}
	}
	return "", false
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
