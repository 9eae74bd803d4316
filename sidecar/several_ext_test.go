//go:build linux

package sidecar_test

import (
	"errors"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/sys/unix"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/executorclient"
	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/internal/nametest"
	"github.com/codemode-sdk/codemode/internal/waittest"
)

// samePort listens on one port of several addresses.
func samePort(t *testing.T, addresses [][4]byte) (listeners []net.Listener, port int) {
	t.Helper()
	waittest.Until(t, "no port is free on all addresses", func() bool {
		for _, l := range listeners {
			l.Close()
		}
		listeners, port = nil, 0
		for _, address := range addresses {
			l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", net.JoinHostPort(net.IP(address[:]).String(), strconv.Itoa(port)))
			if errors.Is(err, unix.EADDRINUSE) {
				return false
			}
			if err != nil {
				t.Skip("no further loopback addresses here: ", err)
			}
			listeners, port = append(listeners, l), l.Addr().(*net.TCPAddr).Port
		}
		return true
	})
	return listeners, port
}

// where is a program that tells on which of several executors it runs, from 100 on.
const where = "import resource\nresource.getrlimit(resource.RLIMIT_NOFILE)[0]"

// several are executors with an address each, on one port.
func several(t *testing.T, addresses [][4]byte, change func(*config.SidecarConfig)) (executors []*executor, port int) {
	t.Helper()
	listeners, port := samePort(t, addresses)
	for i, listener := range listeners {
		e := start(t, func(c *config.SidecarConfig) {
			c.Limits.OpenFiles = 100 + i
			c.Pool.MinReady = 1
			change(c)
		})
		var serving sync.WaitGroup
		serving.Go(func() { _ = e.server.Serve(listener) }) // its error is that it was closed
		t.Cleanup(func() {
			if err := e.server.Close(); err != nil {
				t.Error(err)
			}
			serving.Wait()
		})
		executors = append(executors, e)
	}
	return executors, port
}

// An executor that is added to those behind a name gets runs of applications that were there
// before it.
func TestAnExecutorThatIsAddedGetsRuns(t *testing.T) {
	besideOthers(t)
	addresses := [][4]byte{{127, 0, 0, 2}, {127, 0, 0, 3}}
	_, port := several(t, addresses, func(c *config.SidecarConfig) { c.MaxConnectionAge = 300 * time.Millisecond })
	var added atomic.Bool
	names := nametest.Serve(t, func(dnsmessage.Question) [][4]byte {
		if added.Load() {
			return addresses
		}
		return addresses[:1]
	})
	client := dial(t, executorclient.Options{Address: "dns://" + names + "/executors.test:" + strconv.Itoa(port)})
	run := func() any {
		got, err := client.Execute(t.Context(), executorclient.Request{Code: where})
		if err != nil {
			t.Fatal(err)
		}
		return got.Value
	}
	for range 4 {
		if on := run(); on != int64(100) {
			t.Fatalf("a run is on executor %v", on)
		}
	}
	added.Store(true)
	// No run is lost meanwhile, nor when connections end.
	waitFor(t, func() bool { return run() == int64(101) })
}

// Runs are spread over the executors behind a name. When one of them goes, its runs are
// lost and no others, and the next ones find those that are left.
func TestRunsAreSpreadOverTheExecutorsBehindAName(t *testing.T) {
	besideOthers(t)
	const count = 3
	addresses := make([][4]byte, count)
	for i := range addresses {
		addresses[i] = [4]byte{127, 0, 0, byte(2 + i)}
	}
	executors, port := several(t, addresses, func(*config.SidecarConfig) {})
	client := dial(t, executorclient.Options{
		Address: "dns://" + nametest.Serve(t, func(dnsmessage.Question) [][4]byte { return addresses }) + "/executors.test:" + strconv.Itoa(port),
	})
	seen := map[any]int{}
	waitFor(t, func() bool { // connections come about one after another
		got, err := client.Execute(t.Context(), executorclient.Request{Code: where})
		if err != nil {
			t.Fatal(err)
		}
		seen[got.Value]++
		return len(seen) == count
	})
	for range 2 * count {
		got, err := client.Execute(t.Context(), executorclient.Request{Code: where})
		if err != nil {
			t.Fatal(err)
		}
		seen[got.Value]++
	}
	for value, n := range seen {
		if n < 2 {
			t.Errorf("the executor with %v had %d runs: %v", value, n, seen)
		}
	}

	held := newHold(t)
	type outcome struct {
		first string
		err   error
		value any
	}
	outcomes := make(chan outcome, 2*count)
	var running sync.WaitGroup
	for range 2 * count {
		running.Add(1)
		go func() {
			o, begun := outcome{}, sync.OnceFunc(running.Done)
			got, err := client.Execute(t.Context(), executorclient.Request{
				Code:  "import resource\nprint(resource.getrlimit(resource.RLIMIT_NOFILE)[0], flush=True)\ntools.hold()\n'done'",
				Tools: held.tools,
				OnEvent: func(executorclient.Event) {
					begun()
				},
			})
			begun()
			o.first, o.err, o.value = got.Stdout, err, got.Value
			outcomes <- o
		}()
	}
	running.Wait()
	if err := executors[0].server.Close(); err != nil {
		t.Error(err)
	}
	close(held.end)
	lost := 0
	for range 2 * count {
		o := <-outcomes
		if onFirst := o.first == "100\n"; onFirst != (o.err != nil) {
			t.Errorf("a run on %q: %v, %v", o.first, o.value, o.err)
		}
		if failure, ok := o.err.(*fault.Error); ok { //nolint:errorlint // Execute's own
			lost++
			if !failure.Started {
				t.Errorf("it is not said that the run may have had effects: %v", o.err)
			}
		}
	}
	if lost == 0 || lost == 2*count {
		t.Errorf("%d of %d runs were lost", lost, 2*count)
	}
	for range 2 * count {
		if got, err := client.Execute(t.Context(), executorclient.Request{Code: where}); err != nil || got.Value == int64(100) {
			t.Errorf("after the loss: %v, %v", got.Value, err)
		}
	}
}
