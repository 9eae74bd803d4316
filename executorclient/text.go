package executorclient

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/codemode-sdk/codemode/internal/value"
)

// Bounds on the parts of Text, in bytes.
const (
	textOutput = 8 << 10
	textResult = 16 << 10
	textTrace  = 8 << 10
	textCalls  = 20 // calls named after a failure
)

// Text is the result as a model should read it: compact, never empty, bounded, with the
// traceback and with what had already run where the program failed.
func (r *Result) Text() string {
	var parts []string
	add := func(label, text string, limit int) {
		if text = strings.TrimRight(text, "\n"); text == "" {
			return
		}
		text = middle(text, limit)
		if label == "" || !strings.Contains(text, "\n") {
			parts = append(parts, label+text)
			return
		}
		parts = append(parts, strings.TrimRight(label, " ")+"\n"+text)
	}
	if r.Status != OK {
		parts = append(parts, r.headline())
	}
	add("stdout: ", r.Stdout, textOutput)
	add("stderr: ", r.Stderr, textOutput)
	if r.Truncated {
		parts = append(parts, "(more output was cut off)")
	}
	if r.Error != nil {
		add("", r.Error.Traceback, textTrace)
	}
	if len(r.Artifacts) > 0 {
		parts = append(parts, r.artifactLine())
	}
	if r.Status == OK && (r.Value != nil || len(parts) == 0) {
		parts = append(parts, r.resultLine(len(parts) == 0))
	}
	if r.Status != OK {
		parts = append(parts, r.alreadyRan()...)
	}
	return strings.Join(parts, "\n")
}

func (r *Result) headline() string {
	if r.Error == nil {
		return "The run ended with status " + string(r.Status) + "."
	}
	text := fmt.Sprintf("The run failed (%s): %s", r.Status, r.Error.Type)
	if r.Error.Message != "" {
		text += ": " + middle(r.Error.Message, textOutput)
	}
	if r.Error.Line > 0 {
		text += fmt.Sprintf(" [line %d]", r.Error.Line)
	}
	return text
}

func (r *Result) resultLine(alone bool) string {
	if r.Value == nil {
		return "The program ended without output and without a result. End it with an expression, or print something."
	}
	text, ok := r.Value.(string)
	if !ok {
		encoded, err := json.Marshal(value.Plain(r.Value))
		if err != nil {
			encoded = fmt.Appendf(nil, "%v", r.Value)
		}
		text = string(encoded)
	}
	if text == "" {
		text = `""`
	}
	if alone {
		return middle(text, textResult)
	}
	return "result: " + middle(text, textResult)
}

// alreadyRan tells what must not be done twice by a second attempt.
func (r *Result) alreadyRan() []string {
	if len(r.ToolCalls) == 0 {
		return nil
	}
	var done []string
	for i, call := range r.ToolCalls {
		if i == textCalls {
			done = append(done, fmt.Sprintf("... and %d more", len(r.ToolCalls)-i))
			break
		}
		outcome := "ok"
		if call.Error != nil {
			outcome = call.Error.Kind
		}
		if call.Streaming {
			outcome += fmt.Sprintf(", %d rows", call.Rows)
		}
		args, err := json.Marshal(value.Plain(call.Args))
		if err != nil {
			args = []byte("?")
		}
		done = append(done, fmt.Sprintf("%s(%s): %s", call.Tool, middle(string(args), 200), outcome))
	}
	return []string{"Tool calls that were already made: " + strings.Join(done, "; ")}
}

// middle shortens text by leaving out its middle.
func middle(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	head, tail := limit/2, len(text)-limit/2
	for head > 0 && !utf8.RuneStart(text[head]) {
		head--
	}
	for tail < len(text) && !utf8.RuneStart(text[tail]) {
		tail++
	}
	return fmt.Sprintf("%s\n[... %d bytes left out ...]\n%s", text[:head], tail-head, text[tail:])
}
