package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/codemode-sdk/codemode/internal/waittest"
)

// The request of the guide, as curl sends it, and what of it can be seen afterwards.
func TestPostChatSavesTheWeatherAndRefusesWhatNeedsAPerson(t *testing.T) {
	a := demoApp(t)
	status, reply := a.ask("Get weather for NYC and save to database")
	if want := "New York: 18.5 °C, partly cloudy. Saved as row 1."; status != http.StatusOK || reply["result"] != want || len(reply) != 1 {
		t.Errorf("got %d %v, want %q", status, reply, want)
	}
	if _, reply := a.ask("delete the last row"); !strings.Contains(reply["result"], "still there") || !strings.Contains(reply["result"], "nobody to ask") {
		t.Errorf("the program was not told why: %v", reply)
	}
	events := (&talk{app: a}).mustSay("what is in the database?", nil)
	if printed := joined(events, eventOutput); !strings.Contains(printed, "1 New York 18.5 partly cloudy") {
		t.Errorf("the row is not there any more, but %q", printed)
	}
	if _, reply := a.ask("Test message"); !strings.HasPrefix(reply["result"], "CPython 3.") {
		t.Errorf("got %v", reply)
	}
	if _, reply := a.ask("hello"); !strings.Contains(reply["result"], "I am a demo, not a language model") {
		t.Errorf("the demo does not say what it is: %v", reply)
	}
}

func TestAPageAsksAndTheProgramIsToldTheAnswer(t *testing.T) {
	a := demoApp(t)
	c := &talk{app: a}
	c.mustSay("get weather and save it", nil)
	answer := func(body string, want int) func(told) {
		return func(e told) {
			if e.kind != eventApproval {
				return
			}
			if e.text("tool") != "database.delete" || !strings.Contains(e.text("args"), `"table":"weather"`) {
				t.Errorf("asked about %v", e.data)
			}
			path := fmt.Sprintf("/conversations/%s/approvals/%v", c.id, e.data["approval"])
			if got := a.post(path, body).StatusCode; got != want {
				t.Errorf("the answer was answered with %d", got)
			}
			if again := a.post(path, `{"allow": true}`).StatusCode; again != http.StatusConflict {
				t.Errorf("a second answer was answered with %d", again)
			}
		}
	}
	denied := c.mustSay("delete it", answer(`{"allow": false, "reason": "I still need it"}`, http.StatusOK))
	if text := joined(denied, eventText); !strings.Contains(text, "still there: the call was not approved: I still need it") {
		t.Errorf("denied, the answer is %q", text)
	}
	if results := only(denied, eventResult); fmt.Sprint(results[len(results)-1].data["error"]) != "map[kind:denied message:the call was not approved: I still need it]" {
		t.Errorf("the call is shown as %v", results[len(results)-1].data)
	}
	approved := c.mustSay("delete it", answer(`{"allow": true}`, http.StatusOK))
	if text := joined(approved, eventText); !strings.Contains(text, "Row 1 (New York) is deleted.") {
		t.Errorf("approved, the answer is %q", text)
	}
}

// Without a reader the turn goes on; who comes later sees all of it.
func TestEventsCanBeReadAgainAndFromAnywhere(t *testing.T) {
	a := demoApp(t)
	c := &talk{app: a}
	events := c.mustSay("compare the weather", nil)
	last := events[len(events)-1].id
	for _, after := range []int{0, 3, last - 1} {
		response, err := http.Get(a.url + "/conversations/" + c.id + "/events?after=" + strconv.Itoa(after))
		if err != nil {
			t.Fatal(err)
		}
		seen := after
		_, err = readEvents(response.Body, func(e told) {
			if e.id != seen+1 || e.kind != events[e.id-1].kind {
				t.Errorf("after %d came %d %s", seen, e.id, e.kind)
			}
			if seen = e.id; seen == last {
				response.Body.Close()
			}
		})
		if seen != last {
			t.Errorf("from %d on, the stream ended with event %d of %d: %v", after, seen, last, err)
		}
	}
	calls, failed := only(events, eventCall), 0
	for _, e := range only(events, eventResult) {
		if e.data["error"] != nil {
			failed++
		}
	}
	if len(calls) != 8 || failed != 1 {
		t.Errorf("%d calls, %d failed", len(calls), failed)
	}
	if second, first := position(events, eventCall, 2), position(events, eventResult, 1); second > first {
		t.Error("the calls were made one after another")
	}
	if written, run := joined(events, eventCode), only(events, eventRun)[0].text("code"); written != run {
		t.Errorf("the program that was shown while it was written is not the one that ran:\n%s\n%s", written, run)
	}
}

// position is the place of the nth event of a kind.
func position(events []told, kind string, n int) int {
	id := only(events, kind)[n-1].id
	return slices.IndexFunc(events, func(e told) bool { return e.id == id })
}

// threads is how many threads the slow program of the test has, by which its process can
// be told from all others.
const threads = 43

// This one has the executor inside, as go run does.
func TestStopEndsTheProcess(t *testing.T) {
	t.Setenv("CODEMODE_EXECUTOR_URL", "embedded")
	a := start(t, settings{model: "demo"})
	scenes = append([]scene{{[]string{"many threads"}, "", fmt.Sprintf(`import threading, time
for _ in range(%d - threading.active_count()):
    threading.Thread(target=time.sleep, args=(10000,), daemon=True).start()
print("started")
time.sleep(10000)
`, threads)}}, scenes...)
	t.Cleanup(func() { scenes = scenes[1:] })
	c := &talk{app: a}
	var process string
	events := c.mustSay("many threads", func(e told) {
		if e.kind == eventOutput {
			process = withThreads(t, threads)
			if again := a.post("/chat/stream", fmt.Sprintf(`{"message": "more", "conversation": %q}`, c.id)).StatusCode; again != http.StatusConflict {
				t.Errorf("a second message at the same time was answered with %d", again)
			}
			a.post("/conversations/"+c.id+"/stop", "{}")
		}
	})
	if process == "" {
		t.Fatal("the program's process was not seen")
	}
	waittest.Until(t, process+" is still there", func() bool {
		_, err := os.Stat(process)
		return err != nil
	})
	if ended := only(events, eventExecution); len(ended) != 1 || ended[0].text("status") != "stopped" || events[len(events)-1].data["stopped"] != true {
		t.Errorf("it is shown as %v", ended)
	}
	if text := joined(c.mustSay("test", nil), eventText); !strings.Contains(text, "CPython") {
		t.Errorf("after it, the answer is %q", text)
	}
}

// withThreads finds the process that has so many threads.
func withThreads(t *testing.T, n int) string {
	t.Helper()
	found, err := filepath.Glob("/proc/[0-9]*/status")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range found {
		status, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(status), fmt.Sprintf("\nThreads:\t%d\n", n)) && strings.Contains(string(status), "Name:\tpython") {
			return filepath.Dir(path)
		}
	}
	return ""
}

func TestAFailedProgramNamesItsLine(t *testing.T) {
	events := (&talk{app: demoApp(t)}).mustSay("fail", nil)
	ended := only(events, eventExecution)[0]
	failure, err := json.Marshal(ended.data["error"])
	if err != nil || ended.text("status") != "error" || !strings.Contains(string(failure), `"line":2`) || !strings.Contains(string(failure), "ZeroDivisionError") {
		t.Errorf("it is shown as %v", ended.data)
	}
}
