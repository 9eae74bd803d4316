package codemodetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/internal/value"
	"github.com/codemode-sdk/codemode/registry"
)

// maxRecording bounds the file, in bytes.
const maxRecording = 256 << 20

// A tape is a recording in use.
type tape struct {
	path   string
	record bool

	mu      sync.Mutex
	calls   []recorded // to be answered; or made, by the order of their ends
	ordered []recorded // made, in the order of the programs
}

// recorded is one call. All its values are in the value encoding's Go types.
type recorded struct {
	tool, args    string // args encoded
	result        any
	rows          []any
	streaming     bool
	kind, message string // of an error; kind is empty if there was none
}

func openTape(path string, record bool) (*tape, error) {
	t := &tape{path: path, record: record}
	if record {
		return t, nil
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Wrap(fault.Invalid, err, "there is no recording").WithRemedy("run the test once with Options.Record")
	}
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the recording cannot be read")
	}
	if info.Size() > maxRecording {
		return nil, fault.New(fault.Invalid, "the recording %s has more than %d bytes", path, maxRecording)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the recording cannot be read")
	}
	if t.calls, err = parseRecording(text); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the recording %s", path).WithRemedy("record it anew with Options.Record")
	}
	return t, nil
}

func parseRecording(text []byte) ([]recorded, error) {
	whole, err := value.Decode(bytes.TrimSpace(text), 0)
	if err != nil {
		return nil, err
	}
	object, _ := whole.(map[string]any)
	list, ok := object["calls"].([]any)
	if !ok {
		return nil, fault.New(fault.Invalid, `it is no object with the list "calls"`)
	}
	calls := make([]recorded, len(list))
	for i, item := range list {
		line, _ := item.(map[string]any)
		call := recorded{args: encoded(line["args"]), result: line["result"]}
		call.tool, ok = line["tool"].(string)
		if _, isObject := line["args"].(map[string]any); !ok || !isObject {
			return nil, fault.New(fault.Invalid, `call %d has no "tool" or no "args"`, i+1)
		}
		call.rows, call.streaming = line["rows"].([]any)
		if failure, failed := line["error"].(map[string]any); failed {
			call.kind, _ = failure["kind"].(string)
			call.message, _ = failure["message"].(string)
			if call.kind == "" {
				call.kind = registry.KindFailed
			}
		}
		calls[i] = call
	}
	return calls, nil
}

// middleware answers calls from the tape, or writes them down; it is the outermost.
func (t *tape) middleware(tb testing.TB) func(registry.Handler) registry.Handler {
	return func(next registry.Handler) registry.Handler {
		return func(ctx context.Context, args registry.Args) (any, error) {
			entry := registry.EntryFromContext(ctx)
			call := recorded{tool: entry.Name(), args: encoded(args.Map()), streaming: entry.Streaming()}
			if !t.record {
				return t.answer(tb, call)
			}
			result, err := next(ctx, args)
			if rows, ok := asRows(result); ok && err == nil {
				return t.recordRows(ctx, call, rows), nil
			}
			call.result = generic(result)
			t.keep(ctx, call, err)
			return result, err
		}
	}
}

// answer gives what the same call gave when it was recorded, each time the next.
func (t *tape) answer(tb testing.TB, call recorded) (any, error) {
	t.mu.Lock()
	i := slices.IndexFunc(t.calls, func(c recorded) bool { return c.tool == call.tool && c.args == call.args })
	if i < 0 {
		t.mu.Unlock()
		tb.Errorf("codemodetest: %s has no call %s%s that is left", t.path, call.tool, call.args)
		return nil, &registry.ToolError{Kind: registry.KindUnavailable, Message: "the recording has no such call that is left"}
	}
	found := t.calls[i]
	t.calls = slices.Delete(t.calls, i, i+1)
	t.mu.Unlock()
	var err error
	if found.kind != "" {
		err = &registry.ToolError{Kind: found.kind, Message: found.message}
	}
	if call.streaming {
		return rowsOf(found.rows, err), nil
	}
	return found.result, err
}

// keep writes a call down. One that was cut off is nothing to be played again.
func (t *tape) keep(ctx context.Context, call recorded, err error) {
	if err != nil {
		if ctx.Err() != nil {
			return
		}
		call.kind, call.message, call.result = registry.KindFailed, err.Error(), nil
		if failure, ok := errors.AsType[*registry.ToolError](err); ok {
			call.kind = failure.Kind
			if failure == err { //nolint:errorlint // one that is wrapped has more to say
				call.message = failure.Message
			}
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.calls = append(t.calls, call)
}

func (t *tape) recordRows(ctx context.Context, call recorded, rows iter.Seq2[any, error]) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		call.rows = []any{}
		var failed error
		for row, err := range rows {
			if err != nil {
				failed = err
			} else {
				call.rows = append(call.rows, generic(row))
			}
			if !yield(row, err) {
				t.keep(context.WithoutCancel(ctx), call, failed)
				return
			}
		}
		t.keep(ctx, call, failed)
	}
}

// order takes the calls of a program over in the order in which it made them, in which
// they are the same each time, however they ran.
func (t *tape) order(result *codemode.Result) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.record {
		return
	}
	for _, made := range result.ToolCalls {
		args, _ := made.Args.(map[string]any)
		text := encoded(orEmpty(args))
		if i := slices.IndexFunc(t.calls, func(c recorded) bool { return c.tool == made.Tool && c.args == text }); i >= 0 {
			t.ordered = append(t.ordered, t.calls[i])
			t.calls = slices.Delete(t.calls, i, i+1)
		}
	}
}

// end writes the file, or says which of its calls were not made.
func (t *tape) end(tb testing.TB) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.record {
		if len(t.calls) > 0 && !tb.Failed() {
			tb.Errorf("codemodetest: %d calls of %s were not made, the first is %s%s", len(t.calls), t.path, t.calls[0].tool, t.calls[0].args)
		}
		return
	}
	if tb.Failed() {
		return
	}
	// What was not run by Runner.Run: by the names and arguments, for want of an order.
	slices.SortStableFunc(t.calls, func(a, b recorded) int { return strings.Compare(a.tool+a.args, b.tool+b.args) })
	text, err := writeRecording(slices.Concat(t.ordered, t.calls))
	if err == nil {
		err = os.MkdirAll(filepath.Dir(t.path), 0o750)
	}
	if err == nil {
		err = os.WriteFile(t.path, text, 0o600)
	}
	if err != nil {
		tb.Errorf("codemodetest: the recording cannot be written: %v", err)
	}
}

// writeRecording writes one call a line, in the value encoding: JSON, but for NaN.
func writeRecording(calls []recorded) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("{\"calls\": [")
	for i, call := range calls {
		args, err := value.Decode([]byte(call.args), 0)
		if err != nil {
			return nil, fmt.Errorf("the arguments of %s: %w", call.tool, err)
		}
		line := map[string]any{"tool": call.tool, "args": args}
		switch {
		case call.streaming:
			line["rows"] = call.rows
		case call.kind == "":
			line["result"] = call.result
		}
		if call.kind != "" {
			line["error"] = map[string]any{"kind": call.kind, "message": call.message}
		}
		text, err := value.Encode(line)
		if err != nil {
			return nil, fmt.Errorf("the call of %s: %w", call.tool, err)
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("\n  ")
		b.Write(text)
	}
	b.WriteString("\n]}\n")
	return b.Bytes(), nil
}

// generic is a value as a program has it; what cannot be sent fails in the program anyway.
func generic(v any) any {
	text, err := value.Encode(v)
	if err != nil {
		return nil
	}
	decoded, err := value.Decode(text, 0)
	if err != nil {
		return nil
	}
	return decoded
}

func asRows(v any) (iter.Seq2[any, error], bool) {
	switch rows := v.(type) {
	case iter.Seq2[any, error]:
		return rows, true
	case func(func(any, error) bool):
		return rows, true
	}
	return nil, false
}

// rowsOf gives rows, and an error behind them if there is one.
func rowsOf(rows []any, err error) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
		if err != nil {
			yield(nil, err)
		}
	}
}
