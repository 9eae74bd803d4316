package main

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// Fifty people at once: every stream is whole and in order, and all of them are saved.
// TestMain looks for goroutines that stayed.
func TestFiftyConversationsAtOnce(t *testing.T) {
	a := demoApp(t)
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
	if text := joined((&talk{app: a}).mustSay("what is in the database?", nil), eventOutput); !strings.HasPrefix(text, fmt.Sprintf("%d New York", people)) {
		t.Errorf("the last row is %q", text)
	}
}
