//go:build linux

package sidecar_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/executorclient"
	"github.com/codemode-sdk/codemode/internal/fault"
)

// leaving is a program that leaves behind whatever might be found elsewhere.
const leaving = `
import builtins, os, sys, threading, time, linecache
secret = builtins.secret = sys.secret = threading.secret = 'SECRET'
os.environ['SECRET'] = 'SECRET'
sys.modules['secret'] = sys
linecache.cache['secret'] = (6, None, ['SECRET'], 'secret')
for place in (os.getcwd(), '/tmp', '/dev/shm', '/var/tmp'):
    try: open(os.path.join(place, 'secret.txt'), 'w').write('SECRET')
    except OSError: pass
beats = []
def beat():
    while True:
        beats.append(time.monotonic())
        time.sleep(0.005)
threading.Thread(target=beat, daemon=True).start()
while not beats: time.sleep(0.001)
`

// seeking is a program that looks for it.
const seeking = `
import builtins, os, sys, threading, linecache
found = [n for n, m in (('builtins', builtins), ('sys', sys), ('threading', threading)) if hasattr(m, 'secret')]
found += [n for n in ('secret', 'beats', 'beat') if n in globals()]
found += [n for n in ('SECRET',) if n in os.environ] + [n for n in ('secret',) if n in sys.modules or n in linecache.cache]
for place in (os.getcwd(), '/tmp', '/dev/shm', '/var/tmp'):
    if os.path.exists(os.path.join(place, 'secret.txt')): found.append(place)
found + [t.name for t in threading.enumerate()][1:]
`

// What a session holds is found by no other session and no plain run; and nothing of it goes
// on while it has no run.
func TestSessionsLeakNothing(t *testing.T) {
	besideOthers(t)
	e := sessionExecutor(t)
	s := newSession(t, e)
	if got := e.run(t, leaving, in(s)); got.Status != executorclient.OK {
		t.Fatalf("%+v", got.Error)
	}
	for range 3 {
		if got := e.run(t, seeking); fmt.Sprint(got.Value) != "[]" {
			t.Errorf("a plain run found %v %+v", got.Value, got.Error)
		}
	}
	if got := e.run(t, seeking, in(newSession(t, e))); fmt.Sprint(got.Value) != "[]" {
		t.Errorf("another session found %v %+v", got.Value, got.Error)
	}
	time.Sleep(300 * time.Millisecond)
	got := e.run(t, "max(b - a for a, b in zip(beats, beats[1:] + [time.monotonic()])) > 0.25", in(s))
	if got.Value != true {
		t.Errorf("its thread went on between the runs: %v %+v", got.Value, got.Error)
	}
}

// A session is out of reach of whoever shows another key, though the id is known.
func TestSessionsBelongToTheirKey(t *testing.T) {
	besideOthers(t)
	e := start(t, func(c *config.SidecarConfig) {
		c.Sessions.Max, c.Pool.MaxWorkers = 3, 6
		c.APIKeys = []config.Secret{config.NewSecret("key-of-one"), config.NewSecret("key-of-two")}
	})
	address := "http://" + listen(t, e)
	client := func(key string) *executorclient.Client {
		c, err := executorclient.Dial(executorclient.Options{Address: address, APIKey: key})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		})
		return c
	}
	one, two := client("key-of-one"), client("key-of-two")
	run := func(c *executorclient.Client, s *executorclient.Session, code string) (string, error) {
		got, err := c.Execute(t.Context(), executorclient.Request{Code: code, Session: s})
		return fmt.Sprint(got.Value), err
	}
	if _, err := run(one, executorclient.NewSession("chat"), "x = 'of one'"); err != nil {
		t.Fatal(err)
	}
	for name, other := range map[string]*executorclient.Client{"another key": two, "the embedding process": e.Client} {
		if _, err := run(other, executorclient.ResumeSession("chat"), "x"); fault.CodeOf(err) != fault.SessionLost {
			t.Errorf("%s: %v", name, err)
		}
		if err := other.CloseSession(t.Context(), executorclient.ResumeSession("chat")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := run(two, executorclient.NewSession("chat"), "x = 'of two'"); err != nil {
		t.Errorf("the same id of another key: %v", err)
	}
	if got, err := run(one, executorclient.ResumeSession("chat"), "x"); err != nil || got != "of one" {
		t.Errorf("%s, %v", got, err)
	}
}

// State that is lost is never begun anew in silence, however it was lost.
func TestALostSessionSaysSo(t *testing.T) {
	besideOthers(t)
	open := func(change func(*config.SidecarConfig)) *executor {
		return start(t, func(c *config.SidecarConfig) {
			c.Sessions.Max, c.Pool.MaxWorkers = 2, 4
			change(c)
		})
	}
	for want, change := range map[string]func(*config.SidecarConfig){
		"idle_timeout": func(c *config.SidecarConfig) { c.Sessions.IdleTimeout = 100 * time.Millisecond },
		"lifetime":     func(c *config.SidecarConfig) { c.Sessions.Lifetime = 100 * time.Millisecond },
	} {
		e := open(change)
		s := executorclient.NewSession("")
		// On a machine that is busy enough its time is over before its first run is.
		_, _ = e.Execute(t.Context(), executorclient.Request{Code: "x = 1", Session: s})
		waitFor(t, func() bool { stats := e.server.Stats(); return stats.Kept+stats.Running == 0 })
		wantLost(t, e, s, want)
	}
	first, second := open(func(*config.SidecarConfig) {}), open(func(*config.SidecarConfig) {})
	s := executorclient.NewSession("")
	first.run(t, "x = 1", in(s))
	wantLost(t, second, s, "does not know it") // as after a restart
	off := shared(t)
	_, err := off.Execute(t.Context(), executorclient.Request{Code: "1", Session: executorclient.NewSession("")})
	if fault.CodeOf(err) != fault.Rejected || !strings.Contains(err.Error(), "executor.sessions.max") {
		t.Errorf("an executor without sessions: %v", err)
	}
	if _, err := off.Execute(t.Context(), executorclient.Request{Code: "1", Session: executorclient.ResumeSession("x")}); fault.CodeOf(err) != fault.Rejected {
		t.Errorf("an executor without sessions: %v", err)
	}
	several, err := executorclient.Dial(executorclient.Options{Address: "dns:///localhost:1"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = several.Execute(context.Background(), executorclient.Request{Code: "1", Session: s})
	if fault.CodeOf(errors.Join(err, several.Close())) != fault.Invalid {
		t.Errorf("several executors: %v", err)
	}
}
