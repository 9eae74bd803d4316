package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	cdppage "github.com/chromedp/cdproto/page"
	cdpruntime "github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/codemode-sdk/codemode/internal/waittest"
)

// patience is for a busy machine; it says nothing about how fast the page is.
var patience = waittest.Patience

// A browser is a real one with a page in it.
type browser struct {
	t   *testing.T
	ctx context.Context
	// expected is an error in the browser's log that the test is about.
	expected atomic.Pointer[string]
}

// newBrowser starts Chromium with a profile of its own. What the page's console says of
// errors, such as a breach of the content security policy, fails the test.
func newBrowser(t *testing.T) *browser {
	t.Helper()
	path := installed(t, "chromium")
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-sync", true), chromedp.NoFirstRun,
		chromedp.WindowSize(1280, 800), chromedp.WSURLReadTimeout(patience),
	)
	// Not the test's own context, which ends before what is cleaned up.
	allocated, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocated)
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil {
			t.Error(err)
		}
		cancel()
		stop()
	})
	b := &browser{t: t, ctx: ctx}
	chromedp.ListenTarget(ctx, func(event any) {
		switch e := event.(type) {
		case *cdpruntime.EventExceptionThrown:
			t.Errorf("the page threw %s", e.ExceptionDetails.Error())
		case *log.EventEntryAdded:
			expected := b.expected.Load()
			if e.Entry.Level == log.LevelError && !strings.Contains(e.Entry.Text, "ERR_CONNECTION_REFUSED") && (expected == nil || !strings.Contains(e.Entry.Text, *expected)) {
				t.Errorf("the browser's log: %s %s", e.Entry.Text, e.Entry.URL)
			}
		}
	})
	b.do(log.Enable())
	return b
}

// installed finds a program that Debian has in a package of the same name.
func installed(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("there is no %s; .ci/run installs it", program)
		}
		t.Skipf("there is no %s: apt-get install %s", program, program)
	}
	return path
}

// do runs actions.
func (b *browser) do(actions ...chromedp.Action) {
	b.t.Helper()
	// The first run starts the browser, which ends with the context that it is given.
	if chromedp.FromContext(b.ctx).Browser == nil {
		if err := chromedp.Run(b.ctx); err != nil {
			b.t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		var text string
		_ = chromedp.Run(b.ctx, chromedp.Evaluate(`document.body.innerText`, &text)) // for the message only
		b.t.Fatalf("%v; the page says:\n%s", err, text)
	}
}

// is waits until an expression in the page is true.
func (b *browser) is(expression string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Run(ctx, chromedp.Poll(expression, nil, chromedp.WithPollingInterval(30*time.Millisecond), chromedp.WithPollingTimeout(0))); err != nil {
		var text string
		_ = chromedp.Run(b.ctx, chromedp.Evaluate(`document.body.innerText`, &text)) // for the message only
		b.t.Fatalf("never true: %s (%v); the page says:\n%s", expression, err, text)
	}
}

// shows waits until an element has a text.
func (b *browser) shows(selector, text string) {
	b.t.Helper()
	b.is(fmt.Sprintf(`[...document.querySelectorAll(%q)].some((e) => e.innerText.includes(%q))`, selector, text))
}

// send types a message, with the keyboard alone, and waits for the end of the answer.
func (b *browser) send(text string) {
	b.t.Helper()
	b.ask(text)
	b.idle()
}

func (b *browser) ask(text string) {
	b.t.Helper()
	b.do(chromedp.SendKeys("#message", text+"\r", chromedp.ByQuery))
}

func (b *browser) idle() {
	b.t.Helper()
	b.is(`document.querySelector("#messages").getAttribute("aria-busy") === "false"`)
}

func (b *browser) click(selector string) {
	b.t.Helper()
	b.do(chromedp.Click(selector, chromedp.ByQuery, chromedp.NodeVisible))
}

// screen sets what the page is shown on.
func (b *browser) screen(width, height int64, scheme string) {
	b.t.Helper()
	b.do(emulation.SetDeviceMetricsOverride(width, height, 1, false),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
		}))
}

// picture keeps a screenshot, where CHATBOT_PICTURES names a directory for them.
func (b *browser) picture(name string) {
	b.t.Helper()
	dir := os.Getenv("CHATBOT_PICTURES")
	if dir == "" {
		return
	}
	b.do(chromedp.Sleep(300*time.Millisecond), chromedp.ActionFunc(func(ctx context.Context) error {
		data, err := cdppage.CaptureScreenshot().Do(ctx)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, "chatbot-"+name+".png"), data, 0o600)
	}))
}
