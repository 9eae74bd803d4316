// Package scriptedmodel is an endpoint for tests that speaks the chat completions of
// OpenAI over HTTP. What the model says is a script; what it was told is kept.
package scriptedmodel

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// A Turn is one message of the model: an answer, or calls.
type Turn struct {
	Content string
	Calls   []Call

	// Status makes the turn a refusal with this HTTP status, of which Content is the
	// message.
	Status int
	// Finish is why the model stopped, in place of "stop" or "tool_calls".
	Finish string
	// DropAfter ends the connection of a stream after so many chunks; 0 for never.
	DropAfter int
}

func (t Turn) finish() string {
	switch {
	case t.Finish != "":
		return t.Finish
	case len(t.Calls) > 0:
		return "tool_calls"
	}
	return "stop"
}

// A Call is one tool call of the model.
type Call struct{ ID, Name, Arguments string }

// Code is a turn that calls codemode with a program.
func Code(id, program string) Turn {
	arguments, err := json.Marshal(map[string]string{"code": program})
	if err != nil {
		panic(err) // a map of strings
	}
	return Turn{Calls: []Call{{ID: id, Name: "codemode", Arguments: string(arguments)}}}
}

// A Request is what the endpoint was sent.
type Request struct {
	Model    string    `json:"model"`
	Messages []Message `json:"messages"`
	Stream   bool      `json:"stream"`
	Tools    []struct {
		Type     string `json:"type"`
		Function struct {
			Name        string         `json:"name"`
			Description string         `json:"description"`
			Parameters  map[string]any `json:"parameters"`
		} `json:"function"`
	} `json:"tools"`

	// Authorization is the header.
	Authorization string `json:"-"`
}

// A Message is one of a Request.
type Message struct {
	Role       string          `json:"role"`
	Content    json.RawMessage `json:"content"`
	Name       string          `json:"name"`
	ToolCallID string          `json:"tool_call_id"`
	ToolCalls  []struct {
		ID       string `json:"id"`
		Type     string `json:"type"`
		Function struct {
			Name      string `json:"name"`
			Arguments string `json:"arguments"`
		} `json:"function"`
	} `json:"tool_calls"`
}

// Text is the content if it is text, or that of its text parts.
func (m Message) Text() string {
	var text string
	if json.Unmarshal(m.Content, &text) == nil {
		return text
	}
	var parts []struct{ Text string }
	if json.Unmarshal(m.Content, &parts) != nil {
		return string(m.Content)
	}
	for _, part := range parts {
		text += part.Text
	}
	return text
}

// A Server is the endpoint.
type Server struct {
	// URL is the base URL for clients.
	URL string

	mu       sync.Mutex
	turns    []Turn
	requests []Request
}

// Start serves until the test ends. A request after the last turn is an error.
func Start(t testing.TB, turns ...Turn) *Server {
	s := &Server{turns: turns}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.URL = server.URL + "/v1"
	return s
}

// Requests are those that came so far.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request{}, s.requests...)
}

// ServeHTTP says the next turn.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	request := Request{Authorization: r.Header.Get("Authorization")}
	if r.URL.Path != "/v1/chat/completions" || r.Method != http.MethodPost {
		http.Error(w, "only POST /v1/chat/completions is here", http.StatusNotFound)
		return
	}
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	for i, message := range request.Messages {
		if message.Role == "tool" && message.Text() == "" {
			// As some servers do.
			http.Error(w, fmt.Sprintf("messages[%d]: content: field required", i), http.StatusUnprocessableEntity)
			return
		}
	}
	s.mu.Lock()
	s.requests = append(s.requests, request)
	number := len(s.requests)
	s.mu.Unlock()
	if number > len(s.turns) {
		http.Error(w, "the script is over", http.StatusBadRequest)
		return
	}
	turn := s.turns[number-1]
	switch {
	case turn.Status != 0:
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(turn.Status)
		_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]string{"message": turn.Content, "type": "error"}})
		return
	case request.Stream:
		stream(w, request.Model, turn)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(reply(request.Model, turn)) // the client sees a cut reply
}

func reply(model string, turn Turn) any {
	message := map[string]any{"role": "assistant", "content": turn.Content}
	if len(turn.Calls) > 0 {
		calls := make([]any, len(turn.Calls))
		for i, call := range turn.Calls {
			calls[i] = map[string]any{
				"id": call.ID, "type": "function",
				"function": map[string]string{"name": call.Name, "arguments": call.Arguments},
			}
		}
		message["tool_calls"] = calls
	}
	return map[string]any{
		"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": model,
		"choices": []any{map[string]any{"index": 0, "message": message, "finish_reason": turn.finish()}},
		"usage":   map[string]int{"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
	}
}
