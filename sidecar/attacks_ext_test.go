//go:build linux

package sidecar_test

import (
	"context"
	"embed"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/executorclient"
	"github.com/codemode-sdk/codemode/internal/waittest"
	"github.com/codemode-sdk/codemode/registry"
	"github.com/codemode-sdk/codemode/sidecar/sandbox"
)

// The attacks are Python programs that mean harm. Lines at their beginning say what is
// expected of them:
//
//	# tries: what it is after
//	# status: the statuses, separated by |, of which it must come back with one
//	# timeout: the limit of its run (10s if there is none)
//	# memory: the limit of its memory in MiB (that of the executor if there is none)
//	# home: namespaces or container, if it makes sense in one of them only
//	# arch: amd64 or arm64, if it makes sense on one of them only
//	# alone: why no other run may be under way
//	# beside: the next run begins as soon as this one has printed something
//
// A program prints ESCAPED when it has reached something, and HELD when it has tried all
// it knows; one that comes to its end with neither has tested nothing.
//
//go:embed testdata/attacks
var attackFiles embed.FS

type attack struct {
	name, code string
	header     map[string]string
	statuses   []executorclient.Status
	timeout    time.Duration
	memory     int64
}

// attackHeader are the keys that a program may begin with.
var attackHeader = []string{"tries", "status", "timeout", "memory", "home", "arch", "alone", "beside"}

func attacks(t *testing.T) []attack {
	t.Helper()
	entries, err := attackFiles.ReadDir("testdata/attacks")
	if err != nil {
		t.Fatal(err)
	}
	var all []attack
	for _, entry := range entries {
		if name, isProgram := strings.CutSuffix(entry.Name(), ".py"); isProgram {
			all = append(all, parseAttack(t, name, attackFile(t, entry.Name())))
		}
	}
	return all
}

func attackFile(t *testing.T, name string) string {
	t.Helper()
	text, err := attackFiles.ReadFile(path.Join("testdata/attacks", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func parseAttack(t *testing.T, name, code string) attack {
	t.Helper()
	a := attack{name: name, code: code, header: map[string]string{}, timeout: 10 * time.Second}
	for line := range strings.Lines(code) {
		key, value, found := strings.Cut(strings.TrimPrefix(line, "# "), ": ")
		if !strings.HasPrefix(line, "# ") || !found {
			break
		}
		if !slices.Contains(attackHeader, key) {
			t.Fatalf("%s: %q is no header", name, key)
		}
		a.header[key] = strings.TrimSpace(value)
	}
	for status := range strings.SplitSeq(a.header["status"], "|") {
		a.statuses = append(a.statuses, executorclient.Status(status))
	}
	var err error
	if text := a.header["timeout"]; text != "" {
		a.timeout, err = time.ParseDuration(text)
	}
	if text := a.header["memory"]; text != "" && err == nil {
		a.memory, err = strconv.ParseInt(text, 10, 64)
		a.memory <<= 20
	}
	if err != nil || a.header["tries"] == "" || a.header["status"] == "" {
		t.Fatalf("%s: header %v: %v", name, a.header, err)
	}
	return a
}

// canaries are what attacks are after: a file, a process with a secret in it, and servers,
// all of them within reach of whoever is not confined.
type canaries struct {
	file, text     string
	process        *os.Process
	dir            string
	mu             sync.Mutex
	visitors       []string
	tcp, udp       int
	socket, hidden string
}

func newCanaries(t *testing.T) *canaries {
	t.Helper()
	c := &canaries{text: "canary of " + t.Name(), dir: openDirectory(t, "canaries")}
	c.file, c.socket = filepath.Join(c.dir, "canary.txt"), filepath.Join(c.dir, "socket")
	c.hidden = "codemode-canary-" + strconv.Itoa(os.Getpid())
	if err := os.WriteFile(c.file, []byte(c.text), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(c.file, 0o666); err != nil {
		t.Fatal(err)
	}
	sleep := exec.Command("sleep", "1000")
	sleep.Env = []string{"SECRET=" + c.text}
	if os.Geteuid() == 0 { // the user that programs run as
		id := uint32(sandbox.UnprivilegedID)
		sleep.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: id, Gid: id}}
	}
	if err := sleep.Start(); err != nil {
		t.Fatal(err)
	}
	c.process = sleep.Process
	ended := make(chan error, 1)
	go func() { ended <- sleep.Wait() }()
	c.listen(t, "tcp", "127.0.0.1:0")
	c.listen(t, "unix", c.socket)
	c.listen(t, "unix", "@"+c.hidden)
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c.udp = packets.LocalAddr().(*net.UDPAddr).Port
	datagrams, err := net.ListenPacket("unixgram", "@"+c.hidden+"-datagram")
	if err != nil {
		t.Fatal(err)
	}
	for _, conn := range []net.PacketConn{packets, datagrams} {
		var done sync.WaitGroup
		done.Go(func() {
			for buffer := make([]byte, 100); ; {
				n, _, err := conn.ReadFrom(buffer)
				if err != nil {
					return
				}
				c.visit(fmt.Sprintf("%s received %q", conn.LocalAddr(), buffer[:n]))
			}
		})
		t.Cleanup(func() {
			conn.Close()
			done.Wait()
		})
	}
	t.Cleanup(func() {
		select {
		case err := <-ended:
			t.Errorf("a process of the host was ended: %v", err)
		default:
			if err := c.process.Kill(); err != nil {
				t.Error(err)
			}
			<-ended
		}
		if got, err := os.ReadFile(c.file); err != nil || string(got) != c.text {
			t.Errorf("the canary file: %q, %v", got, err)
		}
		left, err := os.ReadDir(c.dir)
		if err != nil || len(left) > 2 { // the socket may be gone with its listener
			t.Errorf("beside the canary file: %v, %v", left, err)
		}
		for _, visitor := range c.visitors {
			t.Error("a server of the host was reached:", visitor)
		}
	})
	return c
}

func (c *canaries) visit(who string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.visitors = append(c.visitors, who)
}

func (c *canaries) listen(t *testing.T, network, address string) {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	if tcp, is := l.Addr().(*net.TCPAddr); is {
		c.tcp = tcp.Port
	}
	if network == "unix" && address[0] == '/' {
		if err := os.Chmod(address, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	var done sync.WaitGroup
	done.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			c.visit(l.Addr().String())
			conn.Close()
		}
	})
	t.Cleanup(func() {
		l.Close()
		done.Wait()
	})
}

// prelude is what stands in front of every attack.
func (c *canaries) prelude(t *testing.T, ownRoot bool) string {
	python := map[bool]string{true: "True", false: "False"}
	return fmt.Sprintf("canary_file, canary_text, canary_pid, canary_tcp, canary_udp = %q, %q, %d, %d, %d\n"+
		"canary_socket, canary_abstract, own_root = %q, %q, %s\n",
		c.file, c.text, c.process.Pid, c.tcp, c.udp, c.socket, c.hidden, python[ownRoot]) +
		attackFile(t, "prelude.txt")
}

// attackTools has one tool, f, that frames of an attack's own making may call.
func attackTools(t *testing.T) *registry.Registry {
	t.Helper()
	tools := registry.New()
	if err := registry.Func(tools, "f", "", func(context.Context, struct{}) (int, error) { return 1, nil }); err != nil {
		t.Fatal(err)
	}
	return tools
}

func (a attack) request(prelude string, tools *registry.Registry) executorclient.Request {
	return executorclient.Request{
		Code: prelude + a.code, Tools: tools,
		Limits: executorclient.Limits{Timeout: a.timeout, MemoryBytes: a.memory},
	}
}

func (a attack) appliesTo(ownRoot bool) string {
	home := map[bool]string{true: "namespaces", false: "container"}[ownRoot]
	if want := a.header["home"]; want != "" && want != home {
		return "it is for the other home: " + want
	}
	if want := a.header["arch"]; want != "" && want != runtime.GOARCH {
		return "it is for another processor: " + want
	}
	return ""
}

// check holds a result against what the attack says of itself.
func (a attack) check(t *testing.T, got *executorclient.Result, took time.Duration) {
	t.Helper()
	if said := got.Stdout + got.Stderr + fmt.Sprint(got.Value); strings.Contains(said, "ESCAPED") {
		t.Errorf("it got through: %.2000s", said)
	}
	if !slices.Contains(a.statuses, got.Status) {
		t.Errorf("status %s, want %s; error %+v\n%.2000s", got.Status, a.header["status"], got.Error, got.Stderr)
	}
	if got.Status == executorclient.OK && !strings.Contains(got.Stdout, "HELD") {
		t.Errorf("it has tested nothing: %.2000s", got.Stdout)
	}
	if got.Status != executorclient.OK && got.Error == nil {
		t.Error("there is no explanation")
	}
	if took > a.timeout+waittest.Patience {
		t.Errorf("it took %s, with a limit of %s", took, a.timeout)
	}
}

// checkNext runs the program that looks for what an attack has left.
func checkNext(t *testing.T, e *executor, code string) {
	t.Helper()
	got := e.run(t, code)
	if value := fmt.Sprint(got.Value); got.Status != executorclient.OK || value != "[2 []]" {
		t.Errorf("the next run: %s %s %+v\n%s", got.Status, value, got.Error, got.Stderr)
	}
}

// Whatever a program tries, it reaches nothing, comes back in time with a status, and the
// program after it finds nothing of it.
func TestAttacksAreHeld(t *testing.T) { holdAttacks(t, shared(t)) }

// holdAttacks runs every attack on an executor.
func holdAttacks(t *testing.T, e *executor) {
	t.Helper()
	c := newCanaries(t)
	tools := attackTools(t)
	own := ownRoot(e.run(t, "1"))
	prelude, check := c.prelude(t, own), attackFile(t, "check.txt")
	run := func(t *testing.T, a attack) {
		request := a.request(prelude, tools)
		var beside sync.WaitGroup
		defer beside.Wait()
		if a.header["beside"] != "" {
			first := sync.OnceFunc(func() { beside.Go(func() { checkNext(t, e, check) }) })
			request.OnEvent = func(executorclient.Event) { first() }
		}
		begun := time.Now()
		got, err := e.Execute(t.Context(), request)
		if err != nil {
			t.Fatalf("no result after %s: %v", time.Since(begun), err)
		}
		a.check(t, got, time.Since(begun))
		checkNext(t, e, check)
	}
	for _, alone := range []bool{true, false} {
		t.Run(map[bool]string{true: "alone", false: "together"}[alone], func(t *testing.T) {
			for _, a := range attacks(t) {
				if (a.header["alone"] != "") != alone {
					continue
				}
				t.Run(a.name, func(t *testing.T) {
					if why := a.appliesTo(own); why != "" {
						t.Skip(why)
					}
					if !alone {
						t.Parallel()
					}
					run(t, a)
				})
			}
		})
	}
}

// leftovers counts what an executor could leave behind on its host, in places that are
// this test's alone as far as there are such.
func leftovers(t *testing.T, server int) map[string]int {
	t.Helper()
	count := func(pattern string) int {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		return len(found)
	}
	lines := func(path string) (n int) {
		text, err := os.ReadFile(path)
		if err != nil {
			return 0 // the fork server's mounts are shown to root only
		}
		for line := range strings.Lines(string(text)) {
			if !strings.Contains(line, "docker") && !strings.Contains(line, "nsfs") { // which come and go by themselves
				n++
			}
		}
		return n
	}
	return map[string]int{
		"processes":   workersOf(t, server),
		"descriptors": count("/proc/self/fd/*"),
		"goroutines":  runtime.NumGoroutine(),
		"directories": count(filepath.Join(os.TempDir(), "codemode-*", "*")),
		"cgroups":     len(ownGroups(t)),
		"mounts":      lines("/proc/self/mountinfo"),
		"its mounts":  lines(fmt.Sprintf("/proc/%d/mountinfo", server)),
		"System V":    lines("/proc/sysvipc/shm") + lines("/proc/sysvipc/sem") + lines("/proc/sysvipc/msg"),
	}
}

// atRest counts when an executor makes no workers any more, and nothing has changed for a
// while: a worker's process is there before all of its descriptors are.
func atRest(t *testing.T, e *executor, server int) map[string]int {
	t.Helper()
	e.rest(t, patient().Pool.MinReady)
	if sharedServer != nil {
		sharedServer.rest(t, patient().Pool.MinReady)
	}
	var now map[string]int
	same := 0
	waitFor(t, func() bool {
		before := now
		now = leftovers(t, server)
		if same++; !maps.Equal(before, now) {
			same = 0
		}
		return same >= 10
	})
	return now
}

// Bombs cost the executor nothing that lasts.
func TestBombsLeaveNothingBehind(t *testing.T) {
	t.Setenv("TMPDIR", openDirectory(t, "own"))
	before := forkServers(t)
	small := func(c *config.SidecarConfig) { c.Limits.ScratchSize = 16 << 20 }
	e := start(t, small)
	server := newForkServer(t, before)
	prelude := newCanaries(t).prelude(t, ownRoot(e.run(t, "1")))
	// At rest there are as many workers as are to be ready.
	waitFor(t, func() bool { return workersOf(t, server) == patient().Pool.MinReady })
	idle := atRest(t, e, server)
	var bombs []attack
	for _, a := range attacks(t) {
		if strings.HasPrefix(a.name, "bomb-") && a.header["arch"] == "" {
			// Most go off within this, or never would; less memory is sooner used up.
			a.timeout, a.memory = min(a.timeout, 100*time.Millisecond), 64<<20
			bombs = append(bombs, a)
		}
	}
	rounds := 40
	if os.Getenv("CI") == "true" && !testing.Short() {
		rounds = 1000
	}
	next := make(chan attack)
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for a := range next {
				begun := time.Now()
				got, err := e.Execute(t.Context(), a.request(prelude, nil))
				if err != nil {
					t.Errorf("%s: no result: %v", a.name, err)
					continue
				}
				if took := time.Since(begun); took > a.timeout+waittest.Patience {
					t.Errorf("%s took %s", a.name, took)
				}
				if strings.Contains(got.Stdout, "ESCAPED") {
					t.Errorf("%s: %s", a.name, got.Stdout)
				}
			}
		})
	}
	for i := range rounds {
		next <- bombs[i%len(bombs)]
	}
	close(next)
	callers.Wait()
	var now map[string]int
	if !waittest.Poll(func() bool {
		now = leftovers(t, server)
		for what, n := range now {
			if n > idle[what] {
				return false
			}
		}
		return true
	}) {
		t.Errorf("left behind: %v, before %v", now, idle)
	}
	// Beside one that has seen no bombs, since the machine may have got busier.
	fresh := start(t, small)
	var after, unharmed time.Duration
	if !waittest.Poll(func() bool {
		after, unharmed = medians(t, e, fresh)
		return after <= 3*unharmed+10*time.Millisecond
	}) {
		t.Errorf("a run takes %s after the bombs, and %s on a fresh executor", after, unharmed)
	}
}

// medians times the simplest run on two executors in turn.
func medians(t *testing.T, e, other *executor) (of, ofOther time.Duration) {
	t.Helper()
	var times [2][]time.Duration
	for range 21 {
		for i, e := range []*executor{e, other} {
			e.rest(t, patient().Pool.MinReady)
			begun := time.Now()
			if got := e.run(t, "1+1"); got.Value != int64(2) {
				t.Fatalf("1+1 is %v: %+v", got.Value, got)
			}
			times[i] = append(times[i], time.Since(begun))
		}
	}
	for _, all := range times {
		slices.Sort(all)
	}
	return times[0][len(times[0])/2], times[1][len(times[1])/2]
}
