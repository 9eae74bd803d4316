package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/codemode-sdk/codemode/internal/scriptedmodel"
)

// scripted starts a chat whose model is an endpoint that says these turns.
func scripted(t *testing.T, model string, turns ...scriptedmodel.Turn) (*app, *scriptedmodel.Server) {
	t.Helper()
	endpoint := scriptedmodel.Start(t, turns...)
	t.Setenv("OPENAI_API_KEY", "key-of-the-test")
	t.Setenv("OPENAI_BASE_URL", endpoint.URL)
	t.Setenv("OPENAI_MODEL", "model-of-the-test")
	return start(t, settings{model: model, retry: time.Millisecond}), endpoint
}

func call(id, name, arguments string) scriptedmodel.Turn {
	return scriptedmodel.Turn{Calls: []scriptedmodel.Call{{ID: id, Name: name, Arguments: arguments}}}
}

const program = "text = 'caf\\u00e9 \U0001F600 \\\\ \"quoted\"'\n# ünï\ntools.weather(city='Oslo')['celsius']\n"

func TestAModelsMisbehaviourIsSurvivedOrExplained(t *testing.T) {
	two := scriptedmodel.Turn{Content: "Two at once.", Calls: append(scriptedmodel.Code("a", "'first'").Calls, scriptedmodel.Code("b", "'second'").Calls...)}
	cutOff := scriptedmodel.Code("a", "tools.files.write(path='half.txt', text='x')")
	cutOff.Finish = "length"
	var many scriptedmodel.Turn
	for i := range maxCallsOfReply + 1 {
		many.Calls = append(many.Calls, scriptedmodel.Code(fmt.Sprint(i), "tools.files.write(path='many.txt', text='x')").Calls...)
	}
	answer := scriptedmodel.Turn{Content: "All is well: **7.5**."}
	for _, c := range []struct {
		name  string
		turns []scriptedmodel.Turn
		// What the person sees, and what the model is told, of all requests.
		text, notice, failure, told string
		statuses                    string // of the programs
	}{
		{name: "pieces of three characters", turns: []scriptedmodel.Turn{scriptedmodel.Code("a", program), answer},
			text: answer.Content, told: "7.5\n", statuses: "ok"},
		{name: "two calls at once", turns: []scriptedmodel.Turn{two, answer},
			text: "Two at once." + answer.Content, told: "first\nsecond\n", statuses: "ok ok"},
		{name: "arguments that are no JSON", turns: []scriptedmodel.Turn{call("a", "codemode", "```python\n6 * 7\n```"), answer},
			text: answer.Content, told: "42\n", statuses: "ok"},
		{name: "arguments with line breaks in a string", turns: []scriptedmodel.Turn{call("a", "codemode", "{\"code\": \"x = 6\nx * 7\"}"), answer},
			text: answer.Content, told: "42\n", statuses: "ok"},
		{name: "an unknown tool", turns: []scriptedmodel.Turn{call("a", "get_weather", `{"city":"Oslo"}`), answer},
			text: answer.Content, told: `There is no function "get_weather", and nothing was run. Call codemode`, statuses: "not run"},
		{name: "arguments without a program", turns: []scriptedmodel.Turn{call("a", "codemode", "{}"), answer},
			text: answer.Content, told: `the argument "code" is missing, and nothing was run`, statuses: "not run"},
		{name: "a program that is cut off", turns: []scriptedmodel.Turn{cutOff, answer},
			text: answer.Content, told: "Nothing was run: your message was cut off", statuses: "not run"},
		{name: "an answer that is cut off", turns: []scriptedmodel.Turn{{Content: "And so", Finish: "length"}},
			text: "And so", notice: "The answer is cut off"},
		{name: "an answer that is filtered", turns: []scriptedmodel.Turn{{Content: "It is", Finish: "content_filter"}},
			text: "It is", notice: "left out a part of the answer"},
		{name: "busy at first", turns: []scriptedmodel.Turn{{Status: 429, Content: "slow down"}, {Status: 503, Content: "later"}, answer},
			text: answer.Content, notice: "slow down"},
		{name: "busy for good", turns: []scriptedmodel.Turn{{Status: 429, Content: "slow down"}, {Status: 429}, {Status: 429}, {Status: 429, Content: "no more"}},
			failure: "no more", notice: "Trying again"},
		{name: "a key it does not take", turns: []scriptedmodel.Turn{{Status: 401, Content: "who are you?"}}, failure: "who are you?"},
		{name: "a dropped connection", turns: []scriptedmodel.Turn{{Content: "I am about to say", DropAfter: 4}},
			text: "I am abou", failure: "the connection to the model ended in the middle of a message"},
		{name: "dropped in a program", turns: []scriptedmodel.Turn{{Calls: scriptedmodel.Code("a", "tools.files.write(path='half.txt', text='x')").Calls, DropAfter: 9}},
			failure: "the connection to the model ended in the middle of a message"},
		{name: "too many calls", turns: []scriptedmodel.Turn{many}, failure: "more than 16 calls"},
		{name: "nothing said", turns: []scriptedmodel.Turn{{}}, failure: "it said nothing (stop)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, endpoint := scripted(t, "openai", append(c.turns, scriptedmodel.Turn{Content: "Still here."})...)
			chat := &talk{app: a}
			events := chat.mustSay("go", nil)
			if got := joined(events, eventText); got != c.text {
				t.Errorf("the text is %q, want %q", got, c.text)
			}
			if got := joined(events, eventNotice); !strings.Contains(got, c.notice) || c.notice == "" && got != "" {
				t.Errorf("the notice is %q, want %q", got, c.notice)
			}
			if got := joined(events, eventError); !strings.Contains(got, c.failure) || c.failure == "" && got != "" {
				t.Errorf("the error is %q, want %q", got, c.failure)
			}
			var statuses []string
			for _, e := range only(events, eventExecution) {
				statuses = append(statuses, e.text("status"))
			}
			if got := strings.Join(statuses, " "); got != c.statuses {
				t.Errorf("the programs ended with %q, want %q", got, c.statuses)
			}
			if next := joined(chat.mustSay("and now?", nil), eventText); next != "Still here." {
				t.Errorf("the next message was answered with %q", next)
			}
			history := endpoint.Requests()[len(endpoint.Requests())-1].Messages
			var told strings.Builder
			for _, m := range history {
				if m.Role == "tool" {
					told.WriteString(m.Text() + "\n")
				}
				for _, repeated := range m.ToolCalls {
					if !json.Valid([]byte(repeated.Function.Arguments)) {
						t.Errorf("the endpoint was given back what is no JSON: %s", repeated.Function.Arguments)
					}
				}
			}
			if !strings.Contains(told.String(), c.told) {
				t.Errorf("the model was told %q, want %q", told.String(), c.told)
			}
		})
	}
}

// What is written is what runs, however it is cut into pieces.
func TestAProgramIsShownWhileItIsWritten(t *testing.T) {
	a, _ := scripted(t, "openai", scriptedmodel.Code("a", program), scriptedmodel.Turn{Content: "Done."})
	events := (&talk{app: a}).mustSay("go", nil)
	if got := joined(events, eventCode); got != program || len(only(events, eventCode)) < 10 {
		t.Errorf("shown in %d pieces:\n%s", len(only(events, eventCode)), got)
	}
}

func TestLangchainModelsChat(t *testing.T) {
	a, endpoint := scripted(t, "langchain", scriptedmodel.Code("a", "tools.weather(city='Rome')['celsius']"), scriptedmodel.Turn{Content: "22 degrees."})
	if status, reply := a.ask("How warm is it in Rome?"); status != 200 || reply["result"] != "22 degrees." {
		t.Errorf("got %d %v", status, reply)
	}
	if history := endpoint.Requests()[1].Messages; history[len(history)-1].Text() != "22" {
		t.Errorf("the model was told %q", history[len(history)-1].Text())
	}
}

func TestAModelThatOnlyWritesProgramsIsStopped(t *testing.T) {
	var turns []scriptedmodel.Turn
	for range maxReplies {
		turns = append(turns, scriptedmodel.Code("a", "1"))
	}
	a, _ := scripted(t, "openai", turns...)
	if status, reply := a.ask("go"); status != 502 || !strings.Contains(reply["error"], "10 times and no answer") {
		t.Errorf("got %d %v", status, reply)
	}
}

func TestAnAnswerThatIsCutOffIsSaidWithoutThePageToo(t *testing.T) {
	a, _ := scripted(t, "openai", scriptedmodel.Turn{Content: "And so", Finish: "length"}, scriptedmodel.Turn{Content: "All of it."})
	if status, reply := a.ask("go"); status != 200 || reply["result"] != "And so" || !strings.Contains(reply["notice"], "cut off") {
		t.Errorf("got %d %v", status, reply)
	}
	if status, reply := a.ask("go"); status != 200 || len(reply) != 1 || reply["result"] != "All of it." {
		t.Errorf("of a whole answer, got %d %v", status, reply)
	}
}

func FuzzProgramText(f *testing.F) {
	f.Add("print('hi')\n", 3)
	f.Add(program, 1)
	f.Add("\"\\\t\b \u2028<>&\U0001F600", 2)
	f.Fuzz(func(t *testing.T, code string, size int) {
		arguments, err := json.Marshal(map[string]string{"code": code})
		if err != nil || size < 1 {
			t.Skip()
		}
		var want map[string]string
		if err := json.Unmarshal(arguments, &want); err != nil {
			t.Fatal(err)
		}
		var p programText
		var got strings.Builder
		for rest := string(arguments); rest != ""; {
			n := min(size, len(rest))
			got.WriteString(p.add(rest[:n]))
			rest = rest[n:]
		}
		if got.String() != want["code"] {
			t.Errorf("%s in pieces of %d is shown as %q, want %q", arguments, size, got.String(), want["code"])
		}
	})
}
