package main

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestRequestsThatMustNotWork(t *testing.T) {
	a := demoApp(t)
	c := &talk{app: a}
	c.mustSay("hello", nil)
	for _, r := range []struct {
		name, method, path, body string
		header                   map[string]string
		want                     int
	}{
		{name: "no JSON", method: "POST", path: "/chat", body: "message=hello", want: 400},
		{name: "an empty message", method: "POST", path: "/chat", body: `{"message": "  "}`, want: 400},
		{name: "no message", method: "POST", path: "/chat/stream", body: `{}`, want: 400},
		{name: "too much", method: "POST", path: "/chat", body: `{"message": "` + strings.Repeat("x", 2*maxBody) + `"}`, want: 400},
		{name: "a conversation that is not there", method: "POST", path: "/chat/stream", body: `{"message": "x", "conversation": "guess"}`, want: 404},
		{name: "events of none", method: "GET", path: "/conversations/guess/events", want: 404},
		{name: "an event that has no number", method: "GET", path: "/conversations/" + c.id + "/events?after=x", want: 400},
		{name: "an approval nobody asked for", method: "POST", path: "/conversations/" + c.id + "/approvals/1", body: `{"allow": true}`, want: 409},
		{name: "an approval without a number", method: "POST", path: "/conversations/" + c.id + "/approvals/x", body: `{}`, want: 400},
		{name: "another page's form", method: "POST", path: "/chat", body: `{"message": "delete it"}`, header: map[string]string{"Sec-Fetch-Site": "cross-site"}, want: 403},
		{name: "another page's script", method: "POST", path: "/chat", body: `{"message": "x"}`, header: map[string]string{"Origin": "https://example.com"}, want: 403},
		{name: "a name that leads here", method: "GET", path: "/", header: map[string]string{"Host": "rebound.example.com"}, want: 421},
		{name: "more than JSON", method: "POST", path: "/chat", body: `{"message": "hello"} {"message": "delete it"}`, want: 400},
		{name: "chat with GET", method: "GET", path: "/chat", want: 405},
		{name: "a stream with GET", method: "GET", path: "/chat/stream", want: 405},
		{name: "a file of the server", method: "GET", path: "/../main.go", want: 404},
	} {
		t.Run(r.name, func(t *testing.T) {
			request, err := http.NewRequest(r.method, a.url+r.path, strings.NewReader(r.body))
			if err != nil {
				t.Fatal(err)
			}
			for name, value := range r.header {
				request.Header.Set(name, value)
				if name == "Host" {
					request.Host = value
				}
			}
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(response.Body)
			response.Body.Close()
			if err != nil || response.StatusCode != r.want {
				t.Errorf("answered with %s %s %v, want %d", response.Status, text, err, r.want)
			}
			if policy := response.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "script-src 'self';") || strings.Contains(policy, "unsafe") {
				t.Errorf("the policy is %q", policy)
			}
		})
	}
	if stopped := a.post("/conversations/"+c.id+"/stop", "{}"); stopped.StatusCode != http.StatusOK {
		t.Errorf("stopping what is not under way was answered with %s", stopped.Status)
	}
	response, err := http.Get(a.url + "/health")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if text, err := io.ReadAll(response.Body); err != nil || response.StatusCode != http.StatusOK || !strings.Contains(string(text), `"status":"ok"`) {
		t.Errorf("health is %s %s %v", response.Status, text, err)
	}
}

// The oldest idle conversation makes room, and none that is under way.
func TestConversationsAreBounded(t *testing.T) {
	var all conversations
	first, err := all.create()
	if err != nil {
		t.Fatal(err)
	}
	if err := first.begin(func(error) {}); err != nil {
		t.Fatal(err)
	}
	for range maxConversations + 5 {
		if _, err := all.create(); err != nil {
			t.Fatal(err)
		}
	}
	if _, kept := all.get(first.id); !kept || len(all.byID) != maxConversations {
		t.Errorf("there are %d, the one under way kept: %v", len(all.byID), kept)
	}
	first.journal.add(eventText, map[string]string{"text": strings.Repeat("x", maxLogBytes)})
	first.end(false)
	if err := first.begin(nil); !errors.Is(err, errFull) {
		t.Errorf("a conversation that is full began another turn: %v", err)
	}
}

// A client that never sends the rest of its request is not waited for.
func TestARequestThatDoesNotArriveIsRefused(t *testing.T) {
	before := bodyTime
	t.Cleanup(func() { bodyTime = before }) // once the chat has ended
	bodyTime = 50 * time.Millisecond
	a := demoApp(t)
	connection, err := net.Dial("tcp", strings.TrimPrefix(a.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	if _, err := io.WriteString(connection, "POST /chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"); err != nil {
		t.Fatal(err)
	}
	said, err := io.ReadAll(connection)
	if !strings.HasPrefix(string(said), "HTTP/1.1 400 ") || !strings.Contains(string(said), "did not arrive in time") {
		t.Errorf("the answer is %q, %v", said, err)
	}
}
