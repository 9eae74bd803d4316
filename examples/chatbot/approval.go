package main

import (
	"context"
	"errors"

	"github.com/codemode-sdk/codemode/registry"
)

// approvals are the questions that a conversation has open.
type approvals struct {
	asked int
	open  map[int]chan registry.Decision
}

type executionKey struct{}

// executionOf finds the program that a tool call belongs to: Execute passes the caller's
// context on to tools, middleware and approvals.
func executionOf(ctx context.Context) (*execution, bool) {
	e, ok := ctx.Value(executionKey{}).(*execution)
	return e, ok
}

// approve is codemode.Options.Approve: it shows the call on the page, and waits there.
func approve(ctx context.Context, request registry.ApprovalRequest) (registry.Decision, error) {
	e, ok := executionOf(ctx)
	if !ok || !e.interactive {
		return registry.Decision{Reason: "POST /chat has nobody to ask; the same request can be made on the page, or through /chat/stream"}, nil
	}
	args, _ := shorten(string(request.Args.JSON()), maxShown)
	c := e.conversation
	number, answer := c.open()
	defer c.close(number)
	c.journal.add(eventApproval, map[string]any{
		"approval": number, "execution": e.number, "tool": request.Tool.Name(), "args": args,
	})
	select {
	case decision := <-answer:
		c.journal.add(eventDecision, map[string]any{"approval": number, "allow": decision.Allow, "reason": decision.Reason})
		return decision, nil
	case <-ctx.Done():
		reason := "nobody answered in time"
		if errors.Is(context.Cause(ctx), errStopped) {
			reason = "the answer was stopped"
		}
		c.journal.add(eventDecision, map[string]any{"approval": number, "allow": false, "reason": reason})
		return registry.Decision{}, context.Cause(ctx)
	}
}

func (c *conversation) open() (number int, answer <-chan registry.Decision) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.approvals.open == nil {
		c.approvals.open = map[int]chan registry.Decision{}
	}
	c.approvals.asked++
	waiting := make(chan registry.Decision, 1)
	c.approvals.open[c.approvals.asked] = waiting
	return c.approvals.asked, waiting
}

func (c *conversation) close(number int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.approvals.open, number)
}

var errNotAsked = errors.New("nothing with this number waits for an approval; it was answered already, or its time is over")

// decide answers a question, once.
func (c *conversation) decide(number int, decision registry.Decision) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	answer, ok := c.approvals.open[number]
	if !ok {
		return errNotAsked
	}
	delete(c.approvals.open, number)
	answer <- decision // it has room for one
	return nil
}
