package main

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// Fifty people at once: every stream is whole and in order, and all of them are saved.
func TestFiftyConversationsAtOnce(t *testing.T) {
	a := demoApp(t)
	(&talk{app: a}).mustSay("test", nil) // what stays from the first message on is no leak
	http.DefaultClient.CloseIdleConnections()
	before := runtime.NumGoroutine()
	const people = 50
	var talking sync.WaitGroup
	for i := range people {
		talking.Go(func() {
			c := &talk{app: a}
			for _, message := range []string{"get weather and save", "compare the weather"} {
				events, err := c.say(message, nil) // it holds the numbers of the events to their order
				if err != nil {
					t.Errorf("%d: %v", i, err)
					return
				}
				var order strings.Builder
				for _, e := range events {
					if e.kind != eventText && e.kind != eventCode && e.kind != eventCall && e.kind != eventResult {
						order.WriteString(e.kind + " ")
					}
				}
				if got := order.String(); got != "user run output execution done " {
					t.Errorf("%d: the events are %s", i, got)
				}
				if written, run := joined(events, eventCode), only(events, eventRun); len(run) != 1 || run[0].text("code") != written || !strings.HasSuffix(written, "\n") {
					t.Errorf("%d: of the program %v was shown while it was written:\n%s", i, run, written)
				}
				if answer := joined(events, eventText); !strings.Contains(answer, "Saved as row") && !strings.Contains(answer, "Cairo is the warmest") {
					t.Errorf("%d: the answer is %q", i, answer)
				}
				if ended := only(events, eventExecution); len(ended) != 1 || ended[0].text("status") != "ok" {
					t.Errorf("%d: the program ended as %v", i, ended)
				}
				if calls, results := len(only(events, eventCall)), len(only(events, eventResult)); calls != results || calls < 2 {
					t.Errorf("%d: %d calls and %d results", i, calls, results)
				}
			}
		})
	}
	talking.Wait()
	// While the chat still runs, nothing is left of the fifty but what they said.
	for deadline := time.Now().Add(patience); runtime.NumGoroutine() > before; time.Sleep(20 * time.Millisecond) {
		http.DefaultClient.CloseIdleConnections()
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, and %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
	}
	if text := joined((&talk{app: a}).mustSay("what is in the database?", nil), eventOutput); !strings.HasPrefix(text, fmt.Sprintf("%d New York", people)) {
		t.Errorf("the last row is %q", text)
	}
}
