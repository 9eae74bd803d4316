package main

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// Somebody who watches a program while its executor dies reads what happened, and goes on
// in the same conversation once there is another.
func TestAPersonSeesTheExecutorDieAndComeBack(t *testing.T) {
	b := newBrowser(t)
	socket := filepath.Join(t.TempDir(), "executor")
	kill := serveExecutor(t, socket)
	t.Setenv("CODEMODE_EXECUTOR_URL", "unix://"+socket)
	a := demoApp(t)
	b.do(chromedp.Navigate(a.url))
	b.send("Get weather for NYC and save to database")
	b.ask("Run a slow program")
	b.shows("#program-2 pre", "working 1")
	kill()
	b.idle()
	b.shows("#program-2 .state", "lost")
	b.shows("#program-2 .message", "the executor was lost in the middle of the run")
	b.shows("#program-2 pre", "working 0") // what it did until then
	b.shows("#messages .chip", "lost")
	b.shows("#messages .error[role=alert]", "the executor cannot be used")

	b.send("Test whether programs run") // nobody is there
	b.shows("#program-3 .state", "not run")
	b.shows("#program-3 .message", "the executor cannot be reached")
	b.picture("executor-gone")

	serveExecutor(t, socket)
	b.send("What is in the database?")
	b.shows("#program-4 .state", "finished")
	b.shows("#program-4 pre", "New York 18.5")
	b.do(chromedp.Reload())
	b.shows("#messages .text", "The last 1 rows of weather")
	b.shows("#program-2 .state", "lost")
}

// tab opens a second page of the same browser.
func (b *browser) tab(url string) *browser {
	b.t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	b.t.Cleanup(cancel)
	other := &browser{t: b.t, ctx: ctx}
	if err := chromedp.Run(ctx, chromedp.Navigate(url)); err != nil {
		b.t.Fatal(err)
	}
	return other
}

// Whoever has a conversation open twice sees all of it in both.
func TestTwoTabsShowOneConversation(t *testing.T) {
	t.Parallel()
	b := newBrowser(t)
	a := start(t, settings{model: "demo", pace: time.Millisecond})
	b.do(chromedp.Navigate(a.url))
	b.send("Get weather for NYC and save to database")
	var url string
	b.do(chromedp.Location(&url))
	other := b.tab(url)
	other.shows("#messages .text", "Saved as row 1.")

	other.send("Compare the weather of eight cities")
	b.send("What is in the database?") // this tab was not looked at meanwhile
	const content = `document.querySelector("#messages").innerText + document.querySelector("#programs").innerText`
	b.shows("#program-2", "Cairo")
	var here, there string
	other.shows("#messages .text", "The tables are")
	other.idle()
	b.do(chromedp.Evaluate(content, &here))
	other.do(chromedp.Evaluate(content, &there))
	if here != there {
		t.Errorf("the tabs show different conversations:\n%s\n---\n%s", here, there)
	}
}

// A server that was started again has forgotten the conversation: the page says so, keeps
// the message, and begins a new one whose programs are not mixed with those of before.
func TestAfterARestartOfTheServerAPersonBeginsAnew(t *testing.T) {
	t.Parallel()
	b := newBrowser(t)
	data := t.TempDir()
	ctx, stop := context.WithCancel(context.Background())
	ready, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		ended <- run(ctx, settings{addr: "127.0.0.1:0", data: data, model: "demo", runTime: time.Minute, approval: time.Minute}, func(url string) { ready <- url })
	}()
	url := <-ready
	b.do(chromedp.Navigate(url))
	b.send("Get weather for NYC and save to database")
	b.shows("#program-1", "Saved as row 1.")
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	b.ask("Test whether programs run")
	b.shows("#messages .error", "The message was not taken: the server does not answer.")
	b.is(`document.querySelector("#message").value === "Test whether programs run"`)

	gone := "404 (Not Found)"
	b.expected.Store(&gone)
	start(t, settings{addr: url[len("http://"):], data: data, model: "demo", pace: time.Millisecond})
	b.shows("#messages .error", "there is no such conversation")
	b.do(chromedp.SendKeys("#message", "\r", chromedp.ByQuery))
	b.shows("#messages .text", "runs programs here.")
	b.idle()
	b.is(`document.querySelectorAll(".card").length === 2`)
	b.shows("#program-1 .code", "platform")
	b.is(`document.querySelectorAll("#program-1").length === 1 && !document.querySelector("#program-1").innerText.includes("weather")`)
	b.do(chromedp.Evaluate(`document.querySelector(".chip").click()`, nil))
	b.is(`document.activeElement.classList.contains("card") && document.activeElement.innerText.includes("Saved as row 1.")`)
}
