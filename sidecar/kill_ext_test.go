//go:build linux

package sidecar_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/codemode-sdk/codemode/executorclient"
)

// inFlight is how many programs are under way while something is killed.
const inFlight = 8

// held starts programs that print something and then sleep for hours, and comes back
// when all of them have begun.
func (e *executor) held(t *testing.T, count int) *outcomes {
	t.Helper()
	all := &outcomes{}
	var begun sync.WaitGroup
	for range count {
		begun.Add(1)
		all.runs.Go(func() {
			var once sync.Once
			defer once.Do(begun.Done)
			got, err := e.Execute(t.Context(), executorclient.Request{
				Code:    "import time\nprint(1, flush=True)\ntime.sleep(10000)",
				OnEvent: func(executorclient.Event) { once.Do(begun.Done) },
			})
			all.add(got, err)
		})
	}
	begun.Wait()
	return all
}

// outcomes counts how runs ended.
type outcomes struct {
	runs sync.WaitGroup
	mu   sync.Mutex
	of   map[executorclient.Status]int
	odd  []string // those with an error, or without a result or a reason
}

func (o *outcomes) add(got *executorclient.Result, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.of == nil {
		o.of = map[executorclient.Status]int{}
	}
	o.of[got.Status]++
	if err != nil || got.Status != executorclient.OK && (got.Error == nil || got.Error.Type == "" || got.Error.Message == "") {
		o.odd = append(o.odd, fmt.Sprintf("%s %+v: %v", got.Status, got.Error, err))
	}
}

// want waits for all runs and compares how they ended.
func (o *outcomes) want(t *testing.T, want map[executorclient.Status]int) {
	t.Helper()
	o.runs.Wait()
	if fmt.Sprint(o.of) != fmt.Sprint(want) || len(o.odd) > 0 {
		t.Errorf("runs ended %v %v, want %v", o.of, o.odd, want)
	}
}

// full waits until the pool has as many ready workers as it keeps, on living fork
// servers, and tells how long that took since a moment.
func (e *executor) full(t *testing.T, ready int, gone []int, since time.Time) {
	t.Helper()
	waitFor(t, func() bool {
		now := forkServers(t)
		return !slices.ContainsFunc(gone, func(pid int) bool { return now[pid] }) && len(now) > 0 && e.server.Stats().Ready >= ready
	})
	t.Logf("the pool was full %s after the kill", time.Since(since).Round(time.Millisecond))
}

// steady has as many callers as inFlight run the smallest program until the function that
// it gives is called, which waits for them.
func (e *executor) steady(t *testing.T) (all *outcomes, stop func()) {
	t.Helper()
	all = &outcomes{}
	ctx, cancel := context.WithCancel(t.Context())
	for range inFlight {
		all.runs.Go(func() {
			for ctx.Err() == nil {
				all.add(e.Execute(t.Context(), executorclient.Request{Code: "1+1"}))
			}
		})
	}
	waitFor(t, func() bool {
		all.mu.Lock()
		defer all.mu.Unlock()
		return all.of[executorclient.OK] > 4*inFlight
	})
	return all, func() { cancel(); all.runs.Wait() }
}

// A fork server that is killed takes the programs on it along, each of which says so; those
// that wait for a worker meanwhile get one, and the pool is soon as full as before. The
// same again, and again at once.
func TestAKilledForkServerCostsTheProgramsOnItOnly(t *testing.T) {
	before := forkServers(t)
	e := start(t, func(c *configOf) { c.Pool.MinReady, c.Pool.MaxWorkers = 4, 2*inFlight })
	for range 3 {
		server := newForkServer(t, before)
		onIt := e.held(t, inFlight)
		killed := time.Now()
		kill(t, []int{server})
		waitFor(t, func() bool { return !forkServers(t)[server] })
		var waiting outcomes // who comes while there is no fork server
		for range inFlight {
			waiting.runs.Go(func() {
				waiting.add(e.Execute(t.Context(), executorclient.Request{Code: "1+1"}))
			})
		}
		onIt.want(t, map[executorclient.Status]int{executorclient.Killed: inFlight})
		waiting.want(t, map[executorclient.Status]int{executorclient.OK: inFlight})
		e.full(t, 4, []int{server}, killed)
	}
}

// Under a load of short programs a killed fork server costs no more programs than were
// under way, whatever they were about to do.
func TestKillsUnderLoadCostWhatIsUnderWay(t *testing.T) {
	before := forkServers(t)
	e := start(t, func(c *configOf) { c.Pool.MinReady, c.Pool.MaxWorkers = 4, 2*inFlight })
	all, stop := e.steady(t)
	const kills = 3
	for range kills {
		server := newForkServer(t, before)
		kill(t, []int{server})
		waitFor(t, func() bool { now := forkServers(t); return !now[server] && len(now) > len(before) })
		more := all.count(executorclient.OK) + 2*inFlight
		waitFor(t, func() bool { return all.count(executorclient.OK) > more })
	}
	stop()
	if n := all.count(executorclient.Killed); n > kills*inFlight {
		t.Errorf("%d programs were killed with %d fork servers", n, kills)
	}
	if n := all.count(executorclient.Killed) + all.count(executorclient.OK); n != all.whole() || len(all.odd) > 0 {
		t.Errorf("%v %v", all.of, all.odd)
	}
}

func (o *outcomes) count(status executorclient.Status) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.of[status]
}

func (o *outcomes) whole() (sum int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, n := range o.of {
		sum += n
	}
	return sum
}

// A worker that is killed costs its own program; one that had none yet costs nobody.
func TestAKilledWorkerCostsItsOwnProgram(t *testing.T) {
	before := forkServers(t)
	e := start(t, func(c *configOf) { c.Pool.MinReady, c.Pool.MaxWorkers = 4, 4*inFlight })
	server := newForkServer(t, before)
	resting := func() bool { stats := e.server.Stats(); return stats.Starting == 0 && stats.Ready >= 4 }
	waitFor(t, resting)
	first := childrenOf(t, server)
	killedOnes := e.held(t, 4) // on those that were ready the longest
	waitFor(t, resting)
	second := except(childrenOf(t, server), first)
	spared := e.held(t, 4)
	killed := time.Now()
	kill(t, first)
	killedOnes.want(t, map[executorclient.Status]int{executorclient.Killed: 4})
	e.full(t, 4, nil, killed)
	for range 5 {
		waitFor(t, resting)
		ready := except(childrenOf(t, server), second) // they wait for a program
		kill(t, ready)
		waitFor(t, func() bool { left := childrenOf(t, server); return len(except(ready, left)) == len(ready) })
		if got, err := e.Execute(t.Context(), executorclient.Request{Code: "1+1"}); err != nil || got.Status != executorclient.OK {
			t.Errorf("a program that came after a ready worker was killed: %+v, %v", got, err)
		}
	}
	if n := spared.whole(); n > 0 {
		t.Errorf("%d programs ended whose workers lived", n)
	}
	kill(t, []int{server})
	spared.want(t, map[executorclient.Status]int{executorclient.Killed: 4})
}

func kill(t *testing.T, pids []int) {
	t.Helper()
	for _, pid := range pids {
		if err := unix.Kill(pid, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
			t.Fatal(err)
		}
	}
}

func except(all, some []int) []int {
	return slices.DeleteFunc(slices.Clone(all), func(pid int) bool { return slices.Contains(some, pid) })
}

func childrenOf(t *testing.T, server int) []int {
	t.Helper()
	var found []int
	for pid, parent := range processes(t) {
		if parent == server {
			found = append(found, pid)
		}
	}
	return found
}

const clientVariable = "CODEMODE_TEST_CLIENT"

// becomeClient is a client in a process of its own, to be killed: it runs programs that
// sleep at an executor's socket, and says when they have all begun.
func becomeClient(address string) {
	client, err := executorclient.Dial(executorclient.Options{Address: address})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	var begun, runs sync.WaitGroup
	for range inFlight / 2 {
		begun.Add(1)
		runs.Go(func() {
			var once sync.Once
			got, err := client.Execute(context.Background(), executorclient.Request{
				Code:    "import time\nprint(1, flush=True)\ntime.sleep(10000)",
				OnEvent: func(executorclient.Event) { once.Do(begun.Done) },
			})
			fmt.Println(got.Status, err)
		})
	}
	begun.Wait()
	fmt.Println("begun")
	runs.Wait()
	os.Exit(1)
}

// A client that is killed, with its connection, ends its own programs and nobody else's.
func TestAKilledClientCostsItsOwnPrograms(t *testing.T) {
	before := forkServers(t)
	e := start(t, func(c *configOf) { c.Pool.MinReady, c.Pool.MaxWorkers = 4, 2*inFlight })
	server := newForkServer(t, before)
	socket := listenOn(t, e, "unix", filepath.Join(t.TempDir(), "executor"))
	others := e.held(t, inFlight/2)
	for range 2 {
		client := exec.CommandContext(t.Context(), os.Args[0])
		client.Env = append(os.Environ(), clientVariable+"=unix://"+socket)
		out, err := client.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := client.Start(); err != nil {
			t.Fatal(err)
		}
		said := make([]byte, 100)
		if n, err := out.Read(said); err != nil || string(said[:n]) != "begun\n" {
			t.Errorf("the client said %q, %v", said[:n], err)
		}
		if got := e.server.Stats().Running; got != inFlight {
			t.Errorf("%d programs are under way, not %d", got, inFlight)
		}
		killed := time.Now()
		if err := client.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := client.Wait(); err == nil {
			t.Error("the client ended by itself")
		}
		waitFor(t, func() bool { return e.server.Stats().Running == inFlight/2 })
		e.full(t, 4, nil, killed)
	}
	if others.whole() > 0 {
		t.Errorf("programs of another client ended: %v", others.of)
	}
	kill(t, []int{server})
	others.want(t, map[executorclient.Status]int{executorclient.Killed: inFlight / 2})
}
