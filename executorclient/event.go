package executorclient

import (
	"context"
	"strings"
	"sync"
	"unicode/utf8"
)

// An Event is something that happened during a run. One of the fields is set.
type Event struct {
	// Stdout and Stderr are pieces of output, as they appear.
	Stdout, Stderr string
	// ToolStart is a call that begins; ToolEnd the same call with its outcome;
	// ToolProgress one that streams, with the rows that it has sent, or one that reports
	// how far it has come.
	ToolStart, ToolEnd, ToolProgress *ToolCall
}

// happening is an event that has not been told. What it is about is kept in the run
// anyway, so that those that wait for a slow reader cost nothing more.
type happening struct {
	output [2]int // told up to here, in stdout or stderr; 0 if there is no news
	call   *call
	phase  phase
}

type phase int

const (
	starts phase = iota
	goesOn
	ends
)

// events tells what happens, in order, on a goroutine of its own: neither the program nor
// its tools wait for who is told.
type events struct {
	run  *run
	tell func(Event) // nil: nobody is told
	wake chan struct{}
	told [2]int // of output; of the telling goroutine

	mu    sync.Mutex
	queue []happening
	done  bool
}

// begin starts to tell. The caller calls end, which waits until all is told, or ctx ends.
func (e *events) begin(ctx context.Context) (end func()) {
	if e.tell == nil {
		return func() {}
	}
	e.wake = make(chan struct{}, 1)
	var teller sync.WaitGroup
	teller.Go(func() { e.tellAll(ctx) })
	return func() {
		e.mu.Lock()
		e.done = true
		e.mu.Unlock()
		signal(e.wake)
		teller.Wait()
	}
}

func (e *events) tellAll(ctx context.Context) {
	for {
		e.mu.Lock()
		queue, done := e.queue, e.done
		e.queue = nil
		e.mu.Unlock()
		for _, h := range queue {
			if ctx.Err() != nil {
				return
			}
			e.tellOne(h, false)
		}
		if done {
			e.tellOne(happening{output: e.run.outputSizes()}, true)
			return
		}
		if len(queue) > 0 {
			continue
		}
		select {
		case <-e.wake:
		case <-ctx.Done():
			return
		}
	}
}

func (e *events) tellOne(h happening, last bool) {
	if h.call != nil {
		e.run.mu.Lock()
		call := *h.call
		e.run.mu.Unlock()
		record := call.record()
		switch h.phase {
		case starts:
			e.tell(Event{ToolStart: &ToolCall{Tool: record.Tool, Args: record.Args, Start: record.Start, Streaming: record.Streaming, Omitted: record.Omitted, Policy: record.Policy}})
		case goesOn:
			record.Progress = call.reported
			e.tell(Event{ToolProgress: &record})
		case ends:
			e.tell(Event{ToolEnd: &record})
		}
		return
	}
	for which, to := range h.output {
		if to <= e.told[which] {
			continue
		}
		e.run.mu.Lock()
		data := e.run.output[which][e.told[which]:to]
		e.run.mu.Unlock()
		if !last { // the rest of a character may be on its way
			data = data[:len(data)-cutOff(data)]
		}
		e.told[which] += len(data)
		text := strings.ToValidUTF8(string(data), "\uFFFD")
		switch {
		case text == "":
		case which == 0:
			e.tell(Event{Stdout: text})
		default:
			e.tell(Event{Stderr: text})
		}
	}
}

// cutOff gives how many bytes at the end of data are the beginning of a character.
func cutOff(data []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(data); n++ {
		if tail := data[len(data)-n:]; utf8.RuneStart(tail[0]) {
			if utf8.FullRune(tail) {
				return 0
			}
			return n
		}
	}
	return 0
}

func (e *events) start(c *call) { e.add(happening{call: c, phase: starts}) }
func (e *events) end(c *call)   { e.add(happening{call: c, phase: ends}) }

// progress is told once for all that happened before it could be told.
func (e *events) progress(c *call) { e.add(happening{call: c, phase: goesOn}) }

// wrote tells that there is more output of a stream, up to size.
func (e *events) wrote(which, size int) {
	var h happening
	h.output[which] = size
	e.add(h)
}

func (e *events) add(h happening) {
	if e.tell == nil {
		return
	}
	e.mu.Lock()
	if n := len(e.queue); n > 0 && e.queue[n-1].absorbs(h) {
		e.queue[n-1] = h
	} else {
		e.queue = append(e.queue, h)
	}
	e.mu.Unlock()
	signal(e.wake)
}

// absorbs says whether the next happening says all that h says.
func (h happening) absorbs(next happening) bool {
	if h.call != nil {
		return h.call == next.call && h.phase == goesOn && next.phase == goesOn
	}
	return next.call == nil && (h.output[0] == 0) == (next.output[0] == 0)
}
