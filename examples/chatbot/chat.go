package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A message is what POST /chat and POST /chat/stream take.
type message struct {
	Message string `json:"message"`
	// Conversation goes on with one. If empty, a new one is begun; its id is in the
	// header Conversation-Id of the answer.
	Conversation string `json:"conversation"`
	// After is the newest event that the page has, so that the stream begins with those
	// of other pages. If absent, it begins with the message.
	After *int `json:"after"`
}

// start begins a turn in the conversation that the request names. After it, the caller
// runs the turn and calls end, or nothing of it happens.
func (s *server) start(w http.ResponseWriter, r *http.Request) (c *conversation, m message, stop context.CancelCauseFunc, ctx context.Context, ok bool) {
	if err := read(w, r, &m); err != nil {
		fail(w, http.StatusBadRequest, err)
		return nil, m, nil, nil, false
	}
	if strings.TrimSpace(m.Message) == "" {
		fail(w, http.StatusBadRequest, errors.New("the message is empty"))
		return nil, m, nil, nil, false
	}
	c, known := s.conversations.get(m.Conversation)
	if !known {
		if m.Conversation != "" {
			fail(w, http.StatusNotFound, errors.New("there is no such conversation; the server keeps them until it is restarted"))
			return nil, m, nil, nil, false
		}
		var err error
		if c, err = s.conversations.create(); err != nil {
			fail(w, http.StatusServiceUnavailable, err)
			return nil, m, nil, nil, false
		}
	}
	select {
	case s.places <- struct{}{}:
	default:
		fail(w, http.StatusServiceUnavailable, errTooMany)
		return nil, m, nil, nil, false
	}
	ctx, stop = context.WithCancelCause(s.ctx)
	if err := c.begin(stop); err != nil {
		stop(err)
		<-s.places
		fail(w, http.StatusConflict, err)
		return nil, m, nil, nil, false
	}
	w.Header().Set("Conversation-Id", c.id)
	return c, m, stop, ctx, true
}

// chat is for programs: one message, one answer. Nobody can be asked for an approval, and
// a client that goes away has stopped the turn.
func (s *server) chat(w http.ResponseWriter, r *http.Request) {
	c, m, stop, ctx, ok := s.start(w, r)
	if !ok {
		return
	}
	s.turns.Add(1)
	defer func() { stop(nil); <-s.places; s.turns.Done() }()
	defer context.AfterFunc(r.Context(), func() { stop(errStopped) })()
	before := c.journal.last()
	result, err := s.turn(ctx, c, m.Message, false)
	if err != nil {
		fail(w, http.StatusBadGateway, err)
		return
	}
	reply := map[string]string{"result": result}
	if notice := c.journal.notices(before); notice != "" {
		reply["notice"] = notice
	}
	answer(w, http.StatusOK, reply)
}

// chatStream is for pages: the turn's events as they happen. The turn goes on when the
// page goes away, which finds the rest under /conversations/{id}/events.
func (s *server) chatStream(w http.ResponseWriter, r *http.Request) {
	c, m, stop, ctx, ok := s.start(w, r)
	if !ok {
		return
	}
	before := c.journal.last()
	s.turns.Go(func() {
		defer func() { stop(nil); <-s.places }()
		_, _ = s.turn(ctx, c, m.Message, true) // the journal has both
	})
	from := before
	if m.After != nil {
		from = min(*m.After, before)
	}
	s.stream(w, r, c, from, func(e Event) bool { return e.ID > before && e.Type == eventDone })
}

// events gives all that happened since the event that Last-Event-ID or ?after names, and
// what goes on happening.
func (s *server) events(w http.ResponseWriter, r *http.Request, c *conversation) {
	after := r.Header.Get("Last-Event-ID")
	if after == "" {
		after = r.URL.Query().Get("after")
	}
	from, err := strconv.Atoi(after)
	if err != nil && after != "" {
		fail(w, http.StatusBadRequest, errors.New("after is not the number of an event"))
		return
	}
	w.Header().Set("Conversation-Id", c.id)
	s.stream(w, r, c, from, func(Event) bool { return false })
}

// heartbeat keeps proxies from closing a stream on which nothing happens.
const heartbeat = 15 * time.Second

// stream writes events until one is the last, or the client or the server goes.
func (s *server) stream(w http.ResponseWriter, r *http.Request, c *conversation, from int, last func(Event) bool) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	out := http.NewResponseController(w)
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		events, changed := c.journal.after(from)
		// A reader that does not read is not waited for.
		if err := out.SetWriteDeadline(time.Now().Add(30 * time.Second)); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return
		}
		for _, e := range events {
			// Data is JSON, and so has no line break that would end it.
			if _, err := fmt.Fprintf(w, "id: %d\nevent: %s\ndata: %s\n\n", e.ID, e.Type, e.Data); err != nil {
				return
			}
			from = e.ID
			if last(e) {
				return
			}
		}
		if out.Flush() != nil {
			return
		}
		select {
		case <-changed:
		case <-beat.C:
			if _, err := io.WriteString(w, ": still here\n\n"); err != nil {
				return
			}
		case <-r.Context().Done():
			return
		case <-s.ctx.Done():
			return
		}
	}
}
