package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/codemode-sdk/codemode"
)

const (
	maxReplies  = 10               // of the model in one turn, before there has to be an answer
	maxParallel = 4                // programs of one reply that run at once
	maxTurn     = 10 * time.Minute // for all of it
)

// turn answers one message of the user's. All that happens goes to the journal; the
// answer is for those who do not read that. The journal's last event is done, whatever
// happens.
func (s *server) turn(ctx context.Context, c *conversation, text string, interactive bool) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, maxTurn, fmt.Errorf("the answer took longer than %v", maxTurn))
	defer cancel()
	c.journal.add(eventUser, map[string]string{"text": text})
	c.keep(append(c.said(), Message{Role: roleUser, Text: text}))
	answer, err := s.converse(ctx, c, interactive)
	stopped := errors.Is(context.Cause(ctx), errStopped)
	if err != nil && !stopped {
		c.journal.add(eventError, map[string]string{"text": err.Error()})
	}
	c.end(stopped)
	return answer, err
}

func (s *server) converse(ctx context.Context, c *conversation, interactive bool) (string, error) {
	for range maxReplies {
		w := &writing{conversation: c}
		reply, err := s.model.Reply(ctx, c.said(), w.say)
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		if err != nil {
			return "", fmt.Errorf("the model gave no answer: %w", err)
		}
		if len(reply.Calls) == 0 {
			c.keep(append(c.said(), reply))
			if reply.CutOff {
				c.journal.add(eventNotice, map[string]string{"text": "The answer is cut off: the model may not write more at once."})
			}
			return reply.Text, nil
		}
		w.reserve(len(reply.Calls))
		texts, err := s.runAll(ctx, w, reply, interactive)
		// Also after a failure: a call without an answer would spoil the history for good.
		messages := append(c.said(), reply)
		for i, call := range reply.Calls {
			messages = append(messages, Message{Role: roleTool, CallID: call.ID, CallName: call.Name, Text: texts[i]})
		}
		c.keep(messages)
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		if err != nil {
			return "", err
		}
	}
	return "", fmt.Errorf("the model wrote programs %d times and no answer", maxReplies)
}

// runAll runs the programs of one reply, and gives a text for the model for each.
func (s *server) runAll(ctx context.Context, w *writing, reply Message, interactive bool) ([]string, error) {
	texts, errs := make([]string, len(reply.Calls)), make([]error, len(reply.Calls))
	free := make(chan struct{}, maxParallel)
	var running sync.WaitGroup
	for i, call := range reply.Calls {
		e := &execution{conversation: w.conversation, number: w.first + i, interactive: interactive}
		free <- struct{}{}
		running.Go(func() {
			defer func() { <-free }()
			code, missing := codemode.Program(call.Arguments)
			switch {
			case call.Name != s.cm.ToolName():
				texts[i] = fmt.Sprintf("There is no function %q, and nothing was run. Call %s, whose argument is a Python program.", call.Name, s.cm.ToolName())
				e.notRun(call.Arguments, fmt.Sprintf("the model called %q, which does not exist, and was told so", call.Name))
			case reply.CutOff:
				texts[i] = "Nothing was run: your message was cut off at its longest. Write a shorter program."
				e.notRun(code, "the program was cut off because the model's message was too long")
			case missing != nil:
				texts[i] = missing.Error()
				e.notRun(code, "the model sent no program, and was told so")
			default:
				texts[i], errs[i] = e.run(ctx, s.cm, code)
			}
		})
	}
	running.Wait()
	return texts, errors.Join(errs...)
}

// A writing shows a reply while the model writes it.
type writing struct {
	conversation *conversation
	first        int // number of the reply's first program; 0 if none was begun
	begun        int
	programs     map[int]*programText
}

func (w *writing) say(d Delta) {
	journal := w.conversation.journal
	switch {
	case d.Notice != "":
		journal.add(eventNotice, map[string]string{"text": d.Notice})
	case d.Text != "":
		journal.add(eventText, map[string]string{"text": d.Text})
	case d.Arguments != "":
		w.reserve(d.Call + 1)
		if w.programs[d.Call] == nil {
			if w.programs == nil {
				w.programs = map[int]*programText{}
			}
			w.programs[d.Call] = &programText{}
		}
		if text := w.programs[d.Call].add(d.Arguments); text != "" {
			journal.add(eventCode, map[string]any{"execution": w.first + d.Call, "text": text})
		}
	}
}

// reserve makes sure that n programs of the reply have numbers, one after another.
func (w *writing) reserve(n int) {
	if n <= w.begun {
		return
	}
	first := w.conversation.nextExecutions(n - w.begun)
	if w.first == 0 {
		w.first = first
	}
	w.begun = n
}
