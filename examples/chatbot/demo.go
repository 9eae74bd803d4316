package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// The demo is a script in the place of a model, for those who have no key. It knows a
// handful of requests by their words. What it writes is fixed; everything else is real:
// its programs run in the sandbox and call the tools.
type demo struct {
	pace time.Duration // between pieces, so that one sees it write
	tool string
}

const demoHelp = `I am a demo, not a language model: no key for one is set (OPENAI_API_KEY). I play a few requests, by their words:

• Get weather for NYC and save to database
• Compare the weather of eight cities
• Which month was the warmest in each city?
• What is in the database?
• Delete what was saved last
• Read the files of the workspace
• Run a slow program
• Run a program that fails

My part is a script. The programs, their tools and the sandbox are real.`

func (d *demo) Name() string { return "demo script (no model)" }

func (d *demo) Reply(ctx context.Context, messages []Message, say func(Delta)) (Message, error) {
	last := messages[len(messages)-1]
	if last.Role == roleTool {
		return d.answer(ctx, last.Text, say)
	}
	request := strings.ToLower(last.Text)
	for _, s := range scenes {
		if !containsAll(request, s.words) {
			continue
		}
		arguments, err := json.Marshal(map[string]string{"code": s.program})
		if err != nil {
			return Message{}, err
		}
		reply := Message{Role: roleAssistant, Text: s.first, Calls: []Call{{fmt.Sprintf("call_%d", len(messages)), d.tool, string(arguments)}}}
		if err := d.write(ctx, s.first, func(piece string) { say(Delta{Text: piece}) }); err != nil {
			return Message{}, err
		}
		return reply, d.write(ctx, string(arguments), func(piece string) { say(Delta{Arguments: piece}) })
	}
	return d.say(ctx, demoHelp, say)
}

// answer says what the program's result was: the demo's programs give sentences.
func (d *demo) answer(ctx context.Context, result string, say func(Delta)) (Message, error) {
	if first, _, _ := strings.Cut(result, "\n"); strings.HasPrefix(first, "The run ") || strings.HasPrefix(first, "The user ") {
		return d.say(ctx, first+". What it did until then is shown with the program.", say)
	}
	if _, value, found := strings.Cut("\n"+result, "\nresult:"); found {
		result = strings.TrimSpace(value)
	}
	var sentence string
	if json.Unmarshal([]byte(result), &sentence) == nil {
		result = sentence
	}
	return d.say(ctx, result, say)
}

func (d *demo) say(ctx context.Context, text string, say func(Delta)) (Message, error) {
	err := d.write(ctx, text, func(piece string) { say(Delta{Text: piece}) })
	return Message{Role: roleAssistant, Text: text}, err
}

// write gives a text in pieces of a few characters.
func (d *demo) write(ctx context.Context, text string, piece func(string)) error {
	for characters := []rune(text); len(characters) > 0; {
		n := min(12, len(characters))
		piece(string(characters[:n]))
		characters = characters[n:]
		select {
		case <-time.After(d.pace):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func containsAll(text string, words []string) bool {
	for _, word := range words {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}
