package main

import (
	"encoding/json"
	"strings"
	"sync"
)

// An Event is something that a page shows. All that a conversation shows is its events in
// their order, so that a page which is loaded again draws the same from the beginning.
type Event struct {
	ID   int // from 1, without gaps
	Type string
	Data json.RawMessage
}

// The types of events.
const (
	eventUser      = "user"      // {text}
	eventText      = "text"      // {text}: a piece of the answer
	eventCode      = "code"      // {execution, text}: a piece of a program that is being written
	eventRun       = "run"       // {execution, code}: the whole program; it starts
	eventCall      = "call"      // {execution, call, tool, args, start_ms}
	eventResult    = "result"    // {execution, call, result or error, duration_ms}
	eventOutput    = "output"    // {execution, stream, text}
	eventExecution = "execution" // {execution, status, ...}: how a program ended
	eventApproval  = "approval"  // {approval, execution, tool, args}: a person is asked
	eventDecision  = "decision"  // {approval, allow, reason}
	eventNotice    = "notice"    // {text}: the turn goes on
	eventError     = "error"     // {text}: the turn is over because of it
	eventDone      = "done"      // {stopped}: the turn is over
)

// maxLogBytes bounds the events of a conversation. The last turn may go over it by what a
// turn can say at most.
const maxLogBytes = 4 << 20

// A journal is the events of a conversation, for any number of readers.
type journal struct {
	mu      sync.Mutex
	events  []Event
	bytes   int
	changed chan struct{} // closed by the next event
}

func newJournal() *journal { return &journal{changed: make(chan struct{})} }

// add never blocks: readers that are slow read later.
func (j *journal) add(kind string, data any) {
	encoded, err := json.Marshal(data)
	if err != nil {
		// A bug, and better seen on the page than not at all.
		kind, encoded = eventNotice, []byte(`{"text":"an event could not be shown"}`)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.events = append(j.events, Event{len(j.events) + 1, kind, encoded})
	j.bytes += len(encoded)
	close(j.changed)
	j.changed = make(chan struct{})
}

// after gives the events behind one, and a channel that tells of further ones.
func (j *journal) after(id int) ([]Event, <-chan struct{}) {
	j.mu.Lock()
	defer j.mu.Unlock()
	id = min(max(id, 0), len(j.events))
	return j.events[id:len(j.events):len(j.events)], j.changed
}

// last is the number of the newest event.
func (j *journal) last() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.events)
}

// notices gives the texts of the notices behind an event, a line each.
func (j *journal) notices(id int) string {
	events, _ := j.after(id)
	var texts []string
	for _, e := range events {
		var notice struct{ Text string }
		if e.Type == eventNotice && json.Unmarshal(e.Data, &notice) == nil {
			texts = append(texts, notice.Text)
		}
	}
	return strings.Join(texts, "\n")
}

// full says whether the conversation is as long as it may be.
func (j *journal) full() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.bytes >= maxLogBytes
}

// shorten cuts a text to so many bytes of whole characters.
func shorten(text string, limit int) (string, bool) {
	if len(text) <= limit {
		return text, false
	}
	return strings.ToValidUTF8(text[:max(limit, 0)], "") + "…", true
}
