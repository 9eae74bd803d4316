package main

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"time"
)

// maxConversations bounds what the server keeps in memory, with maxLogBytes for each. The
// one that was idle the longest makes room for a new one.
const maxConversations = 500

var (
	errBusy    = errors.New("the conversation has an answer under way; stop it or wait for it")
	errFull    = errors.New("this conversation is as long as it may be; begin a new one")
	errTooMany = errors.New("too many conversations are under way; try again in a moment")
)

// A conversation is what was said, for the model, and what was shown, for the page.
type conversation struct {
	id      string // who knows it may read and go on: it is as long as a key
	journal *journal

	mu         sync.Mutex
	messages   []Message
	executions int
	stop       context.CancelCauseFunc // of the turn under way; nil if there is none
	used       time.Time
	approvals  approvals
}

// begin starts a turn, unless there is one.
func (c *conversation) begin(stop context.CancelCauseFunc) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.stop != nil:
		return errBusy
	case c.journal.full():
		return errFull
	}
	c.stop, c.used = stop, time.Now()
	return nil
}

// end tells done. Who reads that can go on, and nobody can before it is told.
func (c *conversation) end(stopped bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stop, c.used = nil, time.Now()
	c.journal.add(eventDone, map[string]bool{"stopped": stopped})
}

// errStopped is why a turn ended that a person stopped.
var errStopped = errors.New("stopped by the user")

// cancel ends the turn under way, and says whether there was one.
func (c *conversation) cancel() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stop == nil {
		return false
	}
	c.stop(errStopped)
	return true
}

// said gives the messages so far; keep stores them. Only the turn under way calls them.
func (c *conversation) said() []Message {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.messages
}

func (c *conversation) keep(messages []Message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.messages = messages
}

// nextExecutions reserves n numbers for programs, and gives the first.
func (c *conversation) nextExecutions(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	first := c.executions + 1
	c.executions += n
	return first
}

// conversations are those that the server keeps.
type conversations struct {
	mu   sync.Mutex
	byID map[string]*conversation
}

// get finds one.
func (all *conversations) get(id string) (*conversation, bool) {
	all.mu.Lock()
	defer all.mu.Unlock()
	c, ok := all.byID[id]
	return c, ok
}

// create makes one, in the place of the one idle the longest if there are too many.
func (all *conversations) create() (*conversation, error) {
	all.mu.Lock()
	defer all.mu.Unlock()
	if len(all.byID) >= maxConversations {
		var oldest *conversation
		var since time.Time
		for _, c := range all.byID {
			c.mu.Lock()
			if c.stop == nil && (oldest == nil || c.used.Before(since)) {
				oldest, since = c, c.used
			}
			c.mu.Unlock()
		}
		if oldest == nil {
			return nil, errTooMany
		}
		delete(all.byID, oldest.id)
	}
	c := &conversation{id: rand.Text(), journal: newJournal(), used: time.Now()}
	if all.byID == nil {
		all.byID = map[string]*conversation{}
	}
	all.byID[c.id] = c
	return c, nil
}
