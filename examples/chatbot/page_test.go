package main

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// What a person does in the first five minutes.
func TestAPersonSeesTheProgramItsCallsAndTheAnswer(t *testing.T) {
	t.Parallel()
	b := newBrowser(t)
	a := start(t, settings{model: "demo", pace: time.Millisecond})
	b.screen(1280, 800, "light")
	b.do(chromedp.Navigate(a.url))
	b.shows("#welcome", "Ask for something")
	b.shows("#model", "demo script (no model)")

	b.send("Get weather for NYC and save to database")
	b.shows("#program-1 .code", `found = tools.weather(city=city)`)
	b.shows("#program-1 .code .call", `tools.database.insert`)
	b.shows("#program-1 .calls li:nth-child(1)", "weather")
	b.shows("#program-1 .calls li:nth-child(2)", "database.insert")
	b.shows("#program-1", "New York: 18.5 °C, partly cloudy. Saved as row 1.")
	b.shows("#messages .text", "Saved as row 1.")
	b.shows("#messages .chip", "Program 1")
	b.shows("#program-1 .state", "finished")
	b.click("#program-1 .calls li:nth-child(2) summary")
	b.shows("#program-1 .calls dd", `"conditions": "partly cloudy"`)
	b.click("#program-1 .calls li:nth-child(2) summary")

	b.ask("Delete what was saved last")
	b.shows(".ask", "Program 2 asks to call database.delete")
	b.do(chromedp.SendKeys(".ask input", "I still need it", chromedp.ByQuery))
	b.click(".ask .deny")
	b.idle()
	b.shows(".ask.answered", "Denied: I still need it")
	b.shows("#messages .text", "still there: the call was not approved: I still need it")
	b.shows("#program-2 .calls .failed", "database.delete")

	b.ask("Delete what was saved last")
	b.click(".ask:not(.answered) .allow")
	b.idle()
	b.shows("#messages .text", "Row 1 (New York) is deleted.")

	var before, after string
	const content = `document.querySelector("#messages").innerText + document.querySelector("#programs").innerText`
	b.do(chromedp.Evaluate(content, &before), chromedp.Reload())
	b.shows("#messages .text", "is deleted.")
	b.idle()
	b.do(chromedp.Evaluate(content, &after))
	if before != after {
		t.Errorf("after a reload the conversation is another:\n%s\n---\n%s", before, after)
	}
	b.send("Compare the weather of eight cities")
	b.is(`[...document.querySelectorAll("#program-4 .track i")].some((bar, i, all) => i > 0 && parseFloat(bar.style.left) < parseFloat(all[0].style.left) + parseFloat(all[0].style.width))`) // they overlap
	b.shows("#program-4 .calls .failed .time", "✕")
	b.shows("#program-4 .calls li:nth-child(6)", "weather Atlantis") // which of the eight it is
	b.shows("#program-4 .axis", "0")
	b.is(`/tokens saved/.test(document.querySelector("#program-4 .meta").innerText)`)
	b.picture("light")
	b.send("Which month was the warmest in each city?")
	b.shows("#messages .text", "Rome was warmest in 2025-07")
	b.is(`/≈ \d,\d{3} tokens saved/.test(document.querySelector("#program-5 .meta").innerText)`)
	b.screen(1280, 800, "dark")
	b.picture("dark")
}

func TestAPersonStopsAProgramAndReadsATraceback(t *testing.T) {
	t.Parallel()
	b := newBrowser(t)
	a := start(t, settings{model: "demo"})
	b.screen(390, 780, "light")
	b.do(chromedp.Navigate(a.url))
	b.ask("Run a slow program")
	b.shows(".chip", "running")
	b.click("#view-programs")
	b.shows("#program-1 pre", "working 1")
	b.click("#view-chat")
	b.click("#stop")
	b.idle()
	b.shows(".notice", "Stopped.")
	b.shows(".chip", "stopped")

	b.send("Run a program that fails")
	b.do(chromedp.Evaluate(`[...document.querySelectorAll(".chip")].at(-1).click()`, nil))
	b.shows("#program-2 .traceback", "ZeroDivisionError: division by zero")
	b.shows("#program-2 .code .failed", "return a / b")
	b.is(`getComputedStyle(document.querySelector("#program-2 .code .failed"), "::before").content !== "" && [...document.querySelectorAll("#program-2 .code div")].indexOf(document.querySelector("#program-2 .failed")) === 1`)
	b.is(`document.activeElement.id === "program-2"`)
	b.is(`document.documentElement.scrollWidth <= innerWidth`)
	b.picture("phone")

	// On the narrowest and lowest screens nothing is cut off, and nothing on something else.
	b.screen(320, 400, "light")
	b.click("#view-chat")
	b.send("Compare the weather of eight cities")
	b.is(`document.querySelector("body > header").offsetHeight < 100 && document.documentElement.scrollWidth <= innerWidth`)
	b.click("#view-programs")
	b.is(`document.querySelector("#program-3 .track").offsetWidth > 150`)
	b.click("#view-chat")
	b.is(`[...document.querySelectorAll("#messages > *")].every((e) => e.scrollHeight <= e.clientHeight + 1)`)
	b.do(chromedp.Evaluate(`Object.assign(document.querySelector("#message"), { value: "line\n".repeat(40) }).dispatchEvent(new Event("input"))`, nil))
	b.is(`document.querySelector("#messages").offsetHeight > 100`)
	b.do(chromedp.Evaluate(`Object.assign(document.querySelector("#message"), { value: "" }).dispatchEvent(new Event("input"))`, nil))
	b.screen(390, 780, "light")

	// A question comes into view also where the programs are.
	b.click("#view-chat")
	b.send("Get weather for NYC and save to database")
	b.do(chromedp.Evaluate(`document.querySelector("#message").value = "Delete what was saved last";
		document.querySelector("#composer").requestSubmit(); document.querySelector("#view-programs").click(); document.body.dataset.view`, nil))
	b.click(".ask .allow")
	b.idle()
	b.shows("#messages .text", "is deleted.")
	b.is(`document.body.dataset.view === "chat"`)
}

// Whatever a tool, a program, a model or a person says is text.
func TestNothingThatIsShownCanBeMarkup(t *testing.T) {
	t.Parallel()
	b := newBrowser(t)
	const evil = `<script>document.title='taken'</script><img src=x onerror="document.title='taken'">`
	scenes = append([]scene{{[]string{"evil"}, evil, "# " + evil + `
text = tools.files.read(path="welcome.txt")
evil = """` + evil + `"""
print(evil)
try:
    tools.weather(city=evil)
except ToolError as error:
    print(error)
text + evil
`}}, scenes...)
	t.Cleanup(func() { scenes = scenes[1:] })
	a := start(t, settings{model: "demo"})
	b.do(chromedp.Navigate(a.url))
	b.send("evil " + evil)
	for _, selector := range []string{"#messages .user", "#messages .text", "#program-1 .code", "#program-1 .part pre", "#program-1 .part:last-child pre"} {
		b.shows(selector, "<script>document.title='taken'</script><img src=x")
	}
	b.shows("#program-1 .part:last-child pre", `<script>document.title = "taken over"</script>`)
	b.is(`document.title === "codemode chat" && document.querySelectorAll("script").length === 1 && !document.querySelector("img")`)
}

// The keyboard reaches everything, and sees where it is.
func TestTheKeyboardIsEnough(t *testing.T) {
	t.Parallel()
	b := newBrowser(t)
	a := start(t, settings{model: "demo"})
	b.do(chromedp.Navigate(a.url))
	b.is(`document.activeElement.id === "message"`)
	b.send("hello")
	b.ask("run a slow program")
	b.shows("#program-1 pre", "working 0")
	b.do(chromedp.KeyEvent("\x1b"))
	b.idle()
	b.shows(".notice", "Stopped.")
	b.is(`document.querySelector("[role=status]").innerText === "Stopped"`)
	// From the message backwards: log, chip and so on, each visibly in focus.
	for range 12 {
		b.do(chromedp.KeyEvent("\t"))
		b.is(`document.activeElement === document.body || getComputedStyle(document.activeElement).outlineStyle !== "none"`)
	}
}
