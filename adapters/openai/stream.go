package openai

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/sashabaranov/go-openai"

	"github.com/codemode-sdk/codemode"
)

// Bounds on a message that is streamed, where the Accumulator sets no others.
const (
	// MaxMessageBytes bounds its text and arguments together.
	MaxMessageBytes = 16 << 20
	// MaxMessageCalls bounds its calls.
	MaxMessageCalls = 1024
)

// An Accumulator puts the parts of a streamed message together:
//
//	var message codemodeopenai.Accumulator
//	for {
//		part, err := stream.Recv()
//		if errors.Is(err, io.EOF) {
//			break
//		}
//		...
//		if err := message.Add(part); err != nil { ... }
//	}
//	replies, err := codemodeopenai.Dispatch(ctx, cm, message.Message())
//
// It reads the first choice. The zero value is an empty message; one that has parts must
// not be copied. It takes what endpoints
// make of the protocol: parts of several calls in any order, calls without an index or all
// with the same, names and IDs that come with every part or not at all.
type Accumulator struct {
	// MaxBytes bounds the message's text and arguments together. If zero, MaxMessageBytes.
	MaxBytes int
	// MaxCalls bounds the message's calls. If zero, MaxMessageCalls.
	MaxCalls int

	content, refusal, reasoning strings.Builder
	function                    *streamed // the form that came before tool calls
	finish                      openai.FinishReason
	calls                       []*streamed
	size                        int
}

// streamed is a call of which some has come.
type streamed struct {
	index     int
	id, name  string
	arguments strings.Builder
}

// Add takes the next part. It fails where the message exceeds its bounds, and is then to
// be thrown away.
func (a *Accumulator) Add(part openai.ChatCompletionStreamResponse) error {
	for _, choice := range part.Choices {
		if choice.Index != 0 {
			continue
		}
		if choice.FinishReason != "" {
			a.finish = choice.FinishReason
		}
		delta := choice.Delta
		a.size += len(delta.Content) + len(delta.Refusal) + len(delta.ReasoningContent)
		for _, call := range delta.ToolCalls {
			a.size += len(call.Function.Name) + len(call.Function.Arguments) + len(call.ID)
		}
		if delta.FunctionCall != nil {
			a.size += len(delta.FunctionCall.Name) + len(delta.FunctionCall.Arguments)
		}
		if limit := cmp.Or(a.MaxBytes, MaxMessageBytes); a.size > limit {
			return tooLarge("more than %d bytes", limit)
		}
		a.content.WriteString(delta.Content)
		a.refusal.WriteString(delta.Refusal)
		a.reasoning.WriteString(delta.ReasoningContent)
		if old := delta.FunctionCall; old != nil {
			if a.function == nil {
				a.function = &streamed{}
			}
			a.function.extend(*old)
		}
		for _, call := range delta.ToolCalls {
			to, err := a.call(call)
			if err != nil {
				return err
			}
			if call.ID != "" {
				to.id = call.ID
			}
			to.extend(call.Function)
		}
	}
	return nil
}

func tooLarge(format string, args ...any) error {
	return &codemode.Error{Code: codemode.CodeUnavailable, Message: "the endpoint streams a message of " + fmt.Sprintf(format, args...)}
}

// call finds the call that a part belongs to, or begins one.
func (a *Accumulator) call(part openai.ToolCall) (*streamed, error) {
	index, last := 0, (*streamed)(nil)
	if len(a.calls) > 0 {
		last = a.calls[len(a.calls)-1]
		index = last.index
	}
	if part.Index != nil {
		index = *part.Index
		if i := a.latest(func(s *streamed) bool { return s.index == index }); i >= 0 {
			last = a.calls[i]
		} else {
			last = nil
		}
	} else if i := a.latest(func(s *streamed) bool { return part.ID != "" && s.id == part.ID }); i >= 0 {
		last = a.calls[i]
	}
	// An ID that is another one, or a name behind arguments, begins a call, whatever the index.
	if last != nil && (part.ID == "" || last.id == "" || last.id == part.ID) &&
		(part.ID != "" || part.Function.Name == "" || last.arguments.Len() == 0 || last.name == part.Function.Name && last.id != "") {
		return last, nil
	}
	if limit := cmp.Or(a.MaxCalls, MaxMessageCalls); len(a.calls) >= limit {
		return nil, tooLarge("more than %d calls", limit)
	}
	begun := &streamed{index: index}
	a.calls = append(a.calls, begun)
	return begun, nil
}

// latest finds the last call of which something is true.
func (a *Accumulator) latest(is func(*streamed) bool) int {
	for i, s := range slices.Backward(a.calls) {
		if is(s) {
			return i
		}
	}
	return -1
}

// extend adds a part; a name that comes again is not another part of it.
func (s *streamed) extend(part openai.FunctionCall) {
	if s.name != part.Name {
		s.name += part.Name
	}
	s.arguments.WriteString(part.Arguments)
}

func (s *streamed) function() openai.FunctionCall {
	return openai.FunctionCall{Name: s.name, Arguments: s.arguments.String()}
}

// Message is what has come so far, with the calls in the order of their indexes; one
// without an ID gets one, which the reply needs. It may be asked for after each part, to
// show a message while it grows.
func (a *Accumulator) Message() openai.ChatCompletionMessage {
	message := openai.ChatCompletionMessage{
		Role: openai.ChatMessageRoleAssistant, Content: a.content.String(), Refusal: a.refusal.String(), ReasoningContent: a.reasoning.String(),
	}
	if a.function != nil {
		function := a.function.function()
		message.FunctionCall = &function
	}
	calls := slices.Clone(a.calls)
	slices.SortStableFunc(calls, func(x, y *streamed) int { return x.index - y.index })
	for i, s := range calls {
		call := openai.ToolCall{ID: s.id, Type: openai.ToolTypeFunction, Function: s.function()}
		if call.ID == "" {
			call.ID = fmt.Sprintf("call_%d", i+1)
		}
		message.ToolCalls = append(message.ToolCalls, call)
	}
	return message
}

// FinishReason is why the message ended; empty as long as the endpoint has not said.
func (a *Accumulator) FinishReason() openai.FinishReason { return a.finish }
