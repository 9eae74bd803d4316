package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/codemode-sdk/codemode"
)

// Bounds on what the page is shown of one program. The model reads Result.Text, which has
// bounds of its own.
const (
	maxShown       = 4 << 10  // bytes of arguments or of a result
	maxShownOutput = 64 << 10 // bytes of output
	maxShownCalls  = 200
)

// An execution is one program of a conversation. Its methods are called by one goroutine
// at a time: codemode tells its events one after another.
type execution struct {
	conversation *conversation
	number       int  // in the conversation, from 1
	interactive  bool // somebody can be asked

	output int
	calls  int
	open   map[string][]int // calls that have started, by what is known of them
}

func (e *execution) add(kind string, data map[string]any) {
	data["execution"] = e.number
	e.conversation.journal.add(kind, data)
}

// run gives the text for the model, also where the executor cannot be used, which is an error.
func (e *execution) run(ctx context.Context, cm *codemode.Codemode, code string) (string, error) {
	e.add(eventRun, map[string]any{"code": code})
	e.open = map[string][]int{}
	begin := time.Now()
	result, err := e.execute(context.WithValue(ctx, executionKey{}, e), cm, code)
	end := map[string]any{"status": result.Status, "wall_ms": float64(time.Since(begin).Microseconds()) / 1000, "calls": len(result.ToolCalls)}
	if hidden := e.calls - maxShownCalls; hidden > 0 {
		end["calls_hidden"] = hidden
	}
	text := result.Text()
	switch {
	case errors.Is(context.Cause(ctx), errStopped):
		end["status"], end["message"] = "stopped", "Stopped. The program's process was ended."
		text, err = "The user stopped the program.\n"+text, nil
	case err != nil && codemode.CodeOf(err) != codemode.CodeRejected:
		end["status"], end["message"] = "not run", err.Error()
		text = "The program was not run: " + err.Error()
		if failure, ok := errors.AsType[*codemode.Error](err); !ok || failure.Started {
			end["status"] = "lost"
			text = "The program was lost: " + err.Error() + "\n" + result.Text()
		}
		err = fmt.Errorf("the executor cannot be used: %w", err)
	default:
		err = nil
		e.conclude(end, code, text, result)
	}
	e.add(eventExecution, end)
	return text, err
}

// execute tries again for a few seconds where the executor was not reached: one that was
// restarted may be back already. A program that may have begun is not run a second time.
func (e *execution) execute(ctx context.Context, cm *codemode.Codemode, code string) (*codemode.Result, error) {
	for pause := 250 * time.Millisecond; ; pause *= 2 {
		result, err := cm.ExecuteRequest(ctx, codemode.Request{Code: code, OnEvent: e.tell})
		failure, ok := errors.AsType[*codemode.Error](err)
		// CodeConfig, too: so looks an executor that died while it was being connected to.
		reached := !ok || failure.Started || failure.Code != codemode.CodeUnavailable && failure.Code != codemode.CodeConfig
		if reached || pause > 2*time.Second {
			return result, err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return result, err
		}
	}
}

// conclude says how a program ended that has an outcome.
func (e *execution) conclude(end map[string]any, code, text string, result *codemode.Result) {
	encoded, err := json.Marshal(result) // values that JSON lacks are lowered there
	var plain struct {
		Result json.RawMessage `json:"result"`
	}
	if err == nil {
		err = json.Unmarshal(encoded, &plain)
	}
	if err != nil {
		end["message"] = "the result cannot be shown: " + err.Error()
	}
	shown, cut := shorten(string(plain.Result), maxShown)
	end["result"], end["cut"], end["error"] = shown, cut, result.Error
	end["usage"] = map[string]any{"cpu_ms": result.Usage.CPU.Milliseconds(), "max_rss_bytes": result.Usage.MaxRSSBytes}
	end["sandbox"] = result.Sandbox
	if result.Status == codemode.StatusOK && len(result.ToolCalls) > 0 {
		end["tokens"] = tokensOf(code, text, result)
	}
}

// tokensOf compares what went through the model with what would have gone through it, had
// it called the tools one by one: then it reads every result, and writes every argument.
// A token is taken to be four bytes.
func tokensOf(code, text string, result *codemode.Result) map[string]int {
	direct := 0
	for _, call := range result.ToolCalls {
		shown := plainCall(call)
		direct += len(shown.Args) + len(shown.Result)
	}
	return map[string]int{"used": (len(code) + len(text)) / 4, "direct": direct / 4}
}

// notRun shows a program that was not given to the executor.
func (e *execution) notRun(code, why string) {
	e.add(eventRun, map[string]any{"code": code})
	e.add(eventExecution, map[string]any{"status": "not run", "message": why, "wall_ms": 0, "calls": 0})
}

// tell is codemode.Request.OnEvent.
func (e *execution) tell(event codemode.Event) {
	switch {
	case event.Stdout != "":
		e.printed("stdout", event.Stdout)
	case event.Stderr != "":
		e.printed("stderr", event.Stderr)
	case event.ToolStart != nil:
		e.calls++
		if e.calls > maxShownCalls {
			return
		}
		call := plainCall(*event.ToolStart)
		args, _ := shorten(string(call.Args), maxShown)
		e.open[call.key()] = append(e.open[call.key()], e.calls)
		e.add(eventCall, map[string]any{"call": e.calls, "tool": call.Tool, "args": args, "start_ms": call.StartMS})
	case event.ToolEnd != nil:
		call := plainCall(*event.ToolEnd)
		numbers := e.open[call.key()]
		if len(numbers) == 0 {
			return // one of those that are not shown
		}
		e.open[call.key()] = numbers[1:]
		shown, cut := shorten(string(call.Result), maxShown)
		data := map[string]any{"call": numbers[0], "result": shown, "cut": cut, "duration_ms": call.DurationMS}
		if call.Rows != nil {
			data["rows"] = *call.Rows
		}
		if call.Error != nil {
			data["error"] = call.Error
		}
		e.add(eventResult, data)
	}
}

func (e *execution) printed(stream, text string) {
	if e.output >= maxShownOutput {
		return
	}
	text, cut := shorten(text, maxShownOutput-e.output)
	e.output += len(text)
	if cut {
		e.output = maxShownOutput
	}
	e.add(eventOutput, map[string]any{"stream": stream, "text": text})
}

// A shownCall is the record of a call with values that JSON has.
type shownCall struct {
	Tool       string          `json:"tool"`
	Args       json.RawMessage `json:"args"`
	Result     json.RawMessage `json:"result"`
	Error      json.RawMessage `json:"error"` // {kind, message}; absent if the call worked
	Rows       *int            `json:"rows"`
	StartMS    float64         `json:"start_ms"`
	DurationMS float64         `json:"duration_ms"`
}

// key finds the end of a call for its start: events carry no number.
func (c shownCall) key() string { return fmt.Sprint(c.Tool, c.StartMS, string(c.Args)) }

func plainCall(call codemode.ToolCall) shownCall {
	encoded, err := json.Marshal(&codemode.Result{ToolCalls: []codemode.ToolCall{call}})
	var record struct {
		Calls []shownCall `json:"tool_calls"`
	}
	if err != nil || json.Unmarshal(encoded, &record) != nil || len(record.Calls) != 1 {
		return shownCall{Tool: call.Tool, Args: json.RawMessage(`"(cannot be shown)"`)}
	}
	return record.Calls[0]
}
