package mcp

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/codemode-sdk/codemode"
)

const (
	// waitingNotes bounds what waits for a client that reads slowly. What comes beyond
	// it is counted and not sent: a run does not wait for who watches it.
	waitingNotes = 256
	// maxNote bounds one note, in bytes.
	maxNote = 4 << 10
)

// A report tells a client what happens in the run that it waits for: calls as progress,
// where the request has a token for it, and output as log messages, where the client has
// set a level.
type report struct {
	ctx     context.Context // of the request, by which the SDK finds the way back
	request *sdk.CallToolRequest
	token   any
	sent    float64
	sending sync.WaitGroup

	mu      sync.Mutex
	notes   chan note
	over    bool
	skipped int
}

// A note is either.
type note struct {
	progress string
	stream   string // stdout or stderr
	output   string
}

func newReport(ctx context.Context, request *sdk.CallToolRequest) *report {
	r := &report{ctx: ctx, request: request, token: request.Params.GetProgressToken(), notes: make(chan note, waitingNotes)}
	r.sending.Go(func() {
		for n := range r.notes {
			r.send(n)
		}
	})
	return r
}

// finish waits until everything is sent, for it has to be before the result.
func (r *report) finish() {
	r.mu.Lock()
	r.over = true
	close(r.notes)
	skipped := r.skipped
	r.mu.Unlock()
	r.sending.Wait()
	if skipped > 0 {
		r.send(note{progress: fmt.Sprintf("%d notifications were left out", skipped)})
	}
}

// event is for OnEvent.
func (r *report) event(e codemode.Event) {
	switch {
	case e.ToolStart != nil:
		r.add(note{progress: e.ToolStart.Tool + " started"})
	case e.ToolProgress != nil && e.ToolProgress.Progress != nil:
		r.add(note{progress: progressOf(e.ToolProgress)})
	case e.ToolEnd != nil && e.ToolEnd.Error != nil:
		r.add(note{progress: fmt.Sprintf("%s failed (%s) after %v", e.ToolEnd.Tool, e.ToolEnd.Error.Kind, e.ToolEnd.Duration.Round(time.Millisecond))})
	case e.ToolEnd != nil:
		r.add(note{progress: fmt.Sprintf("%s done after %v", e.ToolEnd.Tool, e.ToolEnd.Duration.Round(time.Millisecond))})
	}
	for stream, text := range map[string]string{"stdout": e.Stdout, "stderr": e.Stderr} {
		if text = strings.TrimRight(text, "\n"); text != "" {
			r.add(note{stream: stream, output: bounded(text, maxNote)})
		}
	}
}

// progressOf passes on what a tool reports: its numbers are not those of the run.
func progressOf(call *codemode.ToolCall) string {
	text := fmt.Sprintf("%s at %g", call.Tool, call.Progress.Done)
	if call.Progress.Total > 0 {
		text += fmt.Sprintf(" of %g", call.Progress.Total)
	}
	if call.Progress.Message != "" {
		text += ": " + bounded(call.Progress.Message, maxNote)
	}
	return text
}

func (r *report) add(n note) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over || n.progress != "" && r.token == nil {
		return
	}
	select {
	case r.notes <- n:
	default:
		r.skipped++
	}
}

// send sends a note; a client that is gone is noticed elsewhere.
func (r *report) send(n note) {
	if n.output != "" {
		_ = r.request.Session.Log(r.ctx, &sdk.LoggingMessageParams{Level: "info", Logger: n.stream, Data: n.output})
		return
	}
	if r.token == nil {
		return
	}
	r.sent++
	_ = r.request.Session.NotifyProgress(r.ctx, &sdk.ProgressNotificationParams{
		ProgressToken: r.token, Progress: r.sent, Message: n.progress,
	})
}
