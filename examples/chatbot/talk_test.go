package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// A talk is a conversation through /chat/stream.
type talk struct {
	app *app
	id  string
}

// A told is an event as it came over the wire.
type told struct {
	id   int
	kind string
	data map[string]any
}

func (e told) text(name string) string {
	text, _ := e.data[name].(string)
	return text
}

// say sends a message and gives the events of the answer, all of them; each is told as it
// comes too.
func (c *talk) say(message string, each func(told)) ([]told, error) {
	body, err := json.Marshal(map[string]string{"message": message, "conversation": c.id})
	if err != nil {
		return nil, err
	}
	response, err := http.Post(c.app.url+"/chat/stream", "application/json", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(response.Body)
		return nil, fmt.Errorf("%s: %s", response.Status, text)
	}
	c.id = response.Header.Get("Conversation-Id")
	return readEvents(response.Body, each)
}

// readEvents holds a stream to its form: numbers without gaps, and JSON.
func readEvents(body io.Reader, each func(told)) (all []told, err error) {
	everything, err := io.ReadAll(tee(body, func(block string) error {
		var e told
		for line := range strings.Lines(block) {
			name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
			switch name {
			case "id":
				if _, err := fmt.Sscan(value, &e.id); err != nil {
					return err
				}
			case "event":
				e.kind = value
			case "data":
				if err := json.Unmarshal([]byte(value), &e.data); err != nil {
					return err
				}
			}
		}
		if e.kind == "" {
			return nil
		}
		if n := len(all); n > 0 && e.id != all[n-1].id+1 {
			return fmt.Errorf("event %d came after event %d", e.id, all[n-1].id)
		}
		all = append(all, e)
		if each != nil {
			each(e)
		}
		return nil
	}))
	if err == nil && len(everything) == 0 {
		err = io.ErrUnexpectedEOF
	}
	return all, err
}

// tee calls block for each block of a stream when it is whole.
func tee(r io.Reader, block func(string) error) io.Reader {
	return &blocks{r: r, block: block}
}

type blocks struct {
	r     io.Reader
	block func(string) error
	rest  string
}

func (b *blocks) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	b.rest += string(p[:n])
	for {
		one, rest, found := strings.Cut(b.rest, "\n\n")
		if !found {
			return n, err
		}
		b.rest = rest
		if failed := b.block(one); failed != nil {
			return n, failed
		}
	}
}

// mustSay is say where nothing may go wrong with the stream.
func (c *talk) mustSay(message string, each func(told)) []told {
	c.app.t.Helper()
	events, err := c.say(message, each)
	if err != nil {
		c.app.t.Fatalf("%q: %v", message, err)
	}
	if last := events[len(events)-1]; last.kind != eventDone {
		c.app.t.Fatalf("%q: the last event is %s", message, last.kind)
	}
	return events
}

// only gives the events of one kind.
func only(events []told, kind string) (found []told) {
	for _, e := range events {
		if e.kind == kind {
			found = append(found, e)
		}
	}
	return found
}

// joined is the texts of the events of one kind.
func joined(events []told, kind string) string {
	var b strings.Builder
	for _, e := range only(events, kind) {
		b.WriteString(e.text("text"))
	}
	return b.String()
}
