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

// A scene is one request that the demo knows.
type scene struct {
	words   []string // all of them are in the request
	first   string   // said before the program
	program string
}

// scenes are tried in order.
var scenes = []scene{
	{[]string{"weather", "save"}, "I'll look up the weather and save it in one program.", `city = "NYC"
found = tools.weather(city=city)
row = tools.database.insert(
    table="weather",
    values={
        "city": found["city"],
        "celsius": found["celsius"],
        "conditions": found["conditions"],
    },
)
print("inserted", row)
f"{found['city']}: {found['celsius']} °C, {found['conditions']}. Saved as row {row['id']}."
`},
	{[]string{"delete"}, "I'll find the newest saved row and ask for its deletion.", `rows = tools.database.query(sql="SELECT id, city FROM weather ORDER BY id DESC LIMIT 1")
if not rows:
    return "Nothing is saved, so there is nothing to delete."
row = rows[0]
try:
    tools.database.delete(table="weather", id=row["id"])
    answer = f"Row {row['id']} ({row['city']}) is deleted."
except ToolError as error:
    answer = f"Row {row['id']} ({row['city']}) is still there: {error.message}."
answer
`},
	{[]string{"compare"}, "I'll ask for all cities at once and compare them.", `import asyncio

cities = ["NYC", "London", "Oslo", "Rome", "Cairo", "Atlantis", "Tokyo", "Sydney"]

async def look(city):
    try:
        return await tools.weather.arun(city=city)
    except ToolError as error:
        print(f"{city}: {error.message[:40]}...")

found = [w for w in await asyncio.gather(*map(look, cities)) if w]
found.sort(key=lambda w: w["celsius"])
cold, warm = found[0], found[-1]
mean = sum(w["celsius"] for w in found) / len(found)
f"Of {len(found)} cities {warm['city']} is the warmest ({warm['celsius']} °C) and {cold['city']} the coldest ({cold['celsius']} °C); the mean is {mean:.1f} °C."
`},
	{[]string{"database"}, "I'll look into the database.", `rows = tools.database.query(sql="SELECT * FROM weather ORDER BY id DESC LIMIT 5")
for row in rows:
    print(row["id"], row["city"], row["celsius"], row["conditions"])
tables = [t["table"] for t in tools.database.schema()]
f"The tables are {', '.join(tables)}. The last {len(rows)} rows of weather are in the output of the program."
`},
	{[]string{"file"}, "I'll read what is in the workspace.", `text = ""
for file in tools.files.list():
    text += f"{file['path']}:\n{tools.files.read(path=file['path'])}\n"
text
`},
	{[]string{"slow"}, "This one takes half a minute. You can stop it.", `import time

for second in range(30):
    print("working", second)
    time.sleep(1)
"done, after all"
`},
	{[]string{"fail"}, "I'll write a program with a mistake in it.", `def ratio(a, b):
    return a / b

weather = tools.weather(city="Oslo")
print(weather["conditions"])
ratio(weather["celsius"], 0)
`},
	{[]string{"test"}, "I'll see whether programs run.", `import platform, sys

print(sys.version)
f"CPython {platform.python_version()} runs programs here."
`},
}

const demoHelp = `I am a demo, not a language model: no key for one is set (OPENAI_API_KEY). I play a few requests, by their words:

• Get weather for NYC and save to database
• Compare the weather of eight cities
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
		return d.say(ctx, first, say)
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
