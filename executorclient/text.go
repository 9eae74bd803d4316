package executorclient

import (
	"cmp"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/codemode-sdk/codemode/registry"
)

// Bounds on the parts of Text, in bytes.
const (
	textOutput = 8 << 10
	textResult = 16 << 10
	textTrace  = 8 << 10
	textCalls  = 20  // calls named after a failure
	textValue  = 200 // of their arguments, and of their results
)

// Text is the result as a model should read it: compact, never empty, bounded. Where the
// program failed, it has the traceback, the calls that were made by whether a second
// attempt may repeat them, and a hint where there is one.
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
		if r.hint != "" {
			parts = append(parts, "Hint: "+r.hint)
		}
	}
	return strings.Join(parts, "\n")
}

func (r *Result) headline() string {
	if r.Error == nil {
		return "The run ended with status " + string(r.Status) + "."
	}
	text := fmt.Sprintf("The run failed (%s): %s", r.Status, r.Error.Type)
	if message := r.Error.Message; message != "" && !r.tracebackSays(message) {
		text += ": " + middle(message, textOutput)
	}
	if r.Error.Line > 0 {
		text += fmt.Sprintf(" [line %d]", r.Error.Line)
	}
	return text
}

// tracebackSays is whether a message need not be repeated: its beginning stands in the
// traceback, which lists several problems otherwise than the message does.
func (r *Result) tracebackSays(message string) bool {
	first, _, _ := strings.Cut(message, "\n")
	first, _, _ = strings.Cut(first, "; ")
	return first != "" && strings.Contains(r.Error.Traceback, first)
}

func (r *Result) resultLine(alone bool) string {
	if r.Value == nil {
		return "The program ended without output and without a result. End it with an expression, or print something."
	}
	text, ok := r.Value.(string)
	if !ok {
		text = plainJSON(r.Value)
	}
	if text == "" {
		text = `""`
	}
	if alone {
		return middle(text, textResult)
	}
	return "result: " + middle(text, textResult)
}

// What calls did, as far as it matters to a second attempt.
var deeds = []string{
	"Already done, and cannot be undone; do not do it again: ",
	"Already done; do not do it again if it changes something: ",
	"Failed, but may have changed something: ",
	"Changed nothing: ",
}

const (
	doneForGood = iota
	done
	perhapsDone
	nothingDone
)

// deed says what a call did, by its outcome and by what the tool's author says of it.
func (call *ToolCall) deed() int {
	switch {
	case call.Policy.ReadOnly, call.Error != nil && beforeItRuns[call.Error.Kind]:
		return nothingDone
	case call.Error != nil:
		return perhapsDone
	case call.Policy.Destructive:
		return doneForGood
	default:
		return done
	}
}

// beforeItRuns are the failures of calls that did not reach the tool.
var beforeItRuns = map[string]bool{
	registry.KindInvalidArguments: true, registry.KindUnknownTool: true, registry.KindDenied: true, registry.KindLimit: true,
}

// alreadyRan tells what must not be done twice by a second attempt, and what it gave; equal
// calls once, with their number. Of calls that changed nothing it tells the number.
func (r *Result) alreadyRan() []string {
	var told [nothingDone + 1]tally
	var others tally
	shown := 0
	for _, call := range r.ToolCalls {
		which := call.deed()
		if which == nothingDone {
			text := r.spelling(call.Tool)
			if call.Error != nil {
				text += " (" + call.Error.Kind + ")"
			}
			told[which].add(text)
			continue
		}
		line := call.line(r.spelling(call.Tool))
		if told[which].has(line) {
			told[which].add(line)
		} else if shown < textCalls {
			shown++
			told[which].add(line)
		} else {
			others.add(r.spelling(call.Tool))
		}
	}
	var lines []string
	for i := range told {
		if told[i].total > 0 {
			lines = append(lines, deeds[i]+told[i].text("; "))
		}
	}
	if others.total > 0 {
		lines = append(lines, fmt.Sprintf("And %d more calls that may have changed something: %s.", others.total, others.text("; ")))
	}
	return lines
}

// A tally counts equal texts, in the order of the first of each.
type tally struct {
	order  []string
	counts map[string]int
	total  int
}

func (t *tally) has(text string) bool { return t.counts[text] > 0 }

func (t *tally) add(text string) {
	if t.counts == nil {
		t.counts = map[string]int{}
	}
	if t.counts[text]++; t.counts[text] == 1 {
		t.order = append(t.order, text)
	}
	t.total++
}

// text shows at most textCalls of the texts.
func (t *tally) text(separator string) string {
	var parts []string
	for i, text := range t.order {
		if i == textCalls {
			parts = append(parts, fmt.Sprintf("and %d more", len(t.order)-i))
			break
		}
		if n := t.counts[text]; n > 1 {
			text += fmt.Sprintf(", %d times", n)
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, separator)
}

// spell notes how programs write the names of the tools that were called, which is how the
// model knows them.
func (r *Result) spell(tools *registry.View) {
	if tools == nil {
		return
	}
	for _, call := range r.ToolCalls {
		if e, ok := tools.Lookup(call.Tool); ok {
			if path := strings.Join(e.PythonPath(), "."); path != call.Tool {
				if r.spelled == nil {
					r.spelled = map[string]string{}
				}
				r.spelled[call.Tool] = path
			}
		}
	}
}

func (r *Result) spelling(tool string) string { return cmp.Or(r.spelled[tool], tool) }

// line shows a call and what became of it.
func (call *ToolCall) line(name string) string {
	text := name + "(...)"
	if !call.Omitted {
		text = name + "(" + middle(plainJSON(call.Args), textValue) + ")"
	}
	switch {
	case call.Error != nil:
		text += ": " + call.Error.Kind
	case call.Streaming:
	case !call.Omitted:
		text += " gave " + middle(plainJSON(call.Result), textValue)
	}
	if call.Streaming {
		text += fmt.Sprintf(", %d rows", call.Rows)
	}
	return text
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
