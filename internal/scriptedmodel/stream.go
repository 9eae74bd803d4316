package scriptedmodel

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// piece is how many characters of a text or of arguments are sent at once: few, so that
// names, escapes and numbers are cut in two.
const piece = 3

// stream says a turn as server-sent events, in small pieces. Those of several calls come
// in turn, each with the number of its call, and only the first with its id and name.
func stream(w http.ResponseWriter, model string, turn Turn) {
	w.Header().Set("Content-Type", "text/event-stream")
	sent := 0
	send := func(delta map[string]any, finish any) {
		if turn.DropAfter > 0 && sent == turn.DropAfter {
			panic(http.ErrAbortHandler) // the connection ends in the middle
		}
		sent++
		chunk, err := json.Marshal(map[string]any{
			"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": model,
			"choices": []any{map[string]any{"index": 0, "delta": delta, "finish_reason": finish}},
		})
		if err != nil {
			panic(err) // maps of strings
		}
		fmt.Fprintf(w, "data: %s\n\n", chunk)
		if flusher, ok := w.(http.Flusher); ok {
			flusher.Flush()
		}
	}
	send(map[string]any{"role": "assistant", "content": ""}, nil)
	for _, text := range pieces(turn.Content) {
		send(map[string]any{"content": text}, nil)
	}
	arguments, longest := make([][]string, len(turn.Calls)), 0
	for i, call := range turn.Calls {
		send(map[string]any{"tool_calls": []any{map[string]any{
			"index": i, "id": call.ID, "type": "function", "function": map[string]string{"name": call.Name, "arguments": ""},
		}}}, nil)
		arguments[i] = pieces(call.Arguments)
		longest = max(longest, len(arguments[i]))
	}
	for n := range longest {
		for i := range arguments {
			if n < len(arguments[i]) {
				send(map[string]any{"tool_calls": []any{map[string]any{
					"index": i, "function": map[string]string{"arguments": arguments[i][n]},
				}}}, nil)
			}
		}
	}
	send(map[string]any{}, turn.finish())
	fmt.Fprint(w, "data: [DONE]\n\n")
}

func pieces(text string) []string {
	var all []string
	for characters := []rune(text); len(characters) > 0; {
		n := min(piece, len(characters))
		all = append(all, string(characters[:n]))
		characters = characters[n:]
	}
	return all
}
