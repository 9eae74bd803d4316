package sidecar

import (
	"bytes"
	"context"
	"embed"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/codemode-sdk/codemode/internal/cpython"
	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/sidecar/sandbox"
)

// The runner is the Python side: the fork server and what a worker does.
//
//go:embed runner/*.py
var runner embed.FS

// The messages between the executor and its fork server; see runner/forkserver.py.
const (
	opFork    = 'F'
	opForkNow = 'N' // for somebody who waits
	opHello   = 'H'
	opStarted = 'S'
	opEnded   = 'X'
	opRefused = 'E'
	opImports = 'M' // the module that follows, while it starts
	opUnfit   = 'U' // a module cannot be preloaded, for the reason that follows
)

// endedSize is the size of the message about an end: kind, id, wait status, user and
// system time in microseconds, most resident memory in bytes.
const endedSize = 1 + 8 + 4 + 3*8

// startTimeout bounds how long a fork server may take to import what it is told to and
// to confine itself.
var startTimeout = func() (d atomic.Int64) { d.Store(int64(2 * time.Minute)); return }()

// A forkServer is a warm CPython process that makes workers.
//
// It ends when its control socket closes, and all of its workers with it.
type forkServer struct {
	cmd     *exec.Cmd
	control *net.UnixConn
	stderr  *boundedLog
	scratch string // every worker's directory, or empty
	plan    *sandbox.Plan

	mu      sync.Mutex
	next    uint64
	workers map[uint64]*worker
	gone    error // why no more workers are to be had
	ending  bool  // it is gone, or about to be

	tired chan struct{} // closed when it has made workersPerServer workers
	done  chan struct{} // closed when the process has been reaped
}

// How long a fork server tries to have its memory in huge pages: for each of some twenty, the
// kernel waits for all processors, which takes milliseconds on an idle machine and may take a
// second on a busy one.
const (
	inHurry = 200 * time.Millisecond // while somebody may wait for it
	inPeace = 10 * time.Second       // while there is another one
)

// startForkServer carries out one plan, with so much patience for huge pages. An error means
// that the plan cannot be had here.
func startForkServer(ctx context.Context, python *cpython.Install, plan *sandbox.Plan, patience time.Duration) (*forkServer, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("socketpair: %w", err)
	}
	theirs := os.NewFile(uintptr(pair[1]), "fork server control")
	defer theirs.Close()
	control, err := unixConn(pair[0])
	if err != nil {
		return nil, err
	}
	boot, err := runner.ReadFile("runner/boot.py")
	if err != nil {
		return nil, err
	}
	f := &forkServer{
		control: control,
		stderr:  &boundedLog{limit: 16 << 10},
		scratch: plan.Scratch,
		plan:    plan,
		workers: map[uint64]*worker{},
		tired:   make(chan struct{}),
		done:    make(chan struct{}),
	}
	f.cmd = &exec.Cmd{
		Path: python.Executable,
		// CPython finds its virtual environment by the name it is called by.
		// -I: no environment, no user site, no current directory on the path.
		Args: []string{python.Executable, "-I", "-B", "-X", "utf8", "-c", string(boot)},
		Env: []string{"LANG=C.UTF-8", "MALLOC_ARENA_MAX=2",
			// What a worker is the first to call would be looked up anew in each.
			"LD_BIND_NOW=1"},
		Dir:         "/",
		Stderr:      f.stderr,
		ExtraFiles:  []*os.File{theirs},
		SysProcAttr: plan.Attr,
		WaitDelay:   time.Second,
	}
	if err := startMapped(f.cmd); err != nil {
		control.Close()
		return nil, fmt.Errorf("cannot start %s confined: %w", python.Executable, err)
	}
	// The fork server's own is the last one, so that its death is seen at once.
	theirs.Close()
	if err := f.greet(ctx, plan, patience); err != nil {
		control.Close()
		f.kill()
		_ = f.cmd.Wait() // the exit status of a process that we killed says nothing
		if errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() == nil {
			return nil, slow("the fork server did not start within %s", time.Duration(startTimeout.Load()))
		}
		if said := f.stderr.last(); said != "" && fault.CodeOf(err) != fault.Config {
			err = fmt.Errorf("%w: %s", err, said)
		}
		return nil, err
	}
	f.prioritize(false)
	go f.readLoop()
	return f, nil
}

var dumpable sync.Mutex // this process's flag of that name

// startMapped starts a process whose SysProcAttr may map users. The kernel does not let
// a process write the maps that has denied others its memory, as codemode serve does,
// unless it is root: then that is taken back for as long as the start takes.
func startMapped(cmd *exec.Cmd) (err error) {
	dumpable.Lock()
	defer dumpable.Unlock()
	before, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	if err != nil || before != 0 || len(cmd.SysProcAttr.UidMappings) == 0 || os.Geteuid() == 0 {
		return cmd.Start()
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)) }()
	return cmd.Start()
}

// greet sends the runner and the plan, and waits until the fork server has confined itself.
func (f *forkServer) greet(ctx context.Context, plan *sandbox.Plan, patience time.Duration) error {
	deadline := time.Now().Add(time.Duration(startTimeout.Load()))
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	if err := f.control.SetDeadline(deadline); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() {
		// A socket that cannot have a deadline is closed, which ends the wait as well.
		_ = f.control.SetDeadline(time.Unix(1, 0))
	})
	defer stop()
	for _, name := range []string{"kernel", "values", "channel", "rows", "imports", "tools", "check", "program", "worker", "files", "network", "confine", "immortal", "forking", "keeper", "preload", "forkserver"} {
		source, err := fs.ReadFile(runner, "runner/"+name+".py")
		if err != nil {
			return err
		}
		if _, err := f.control.Write(append([]byte(name+"\n"), source...)); err != nil {
			return fmt.Errorf("the fork server ended while it started: %w", err)
		}
	}
	message, err := plan.Message(patience)
	if err != nil {
		return err
	}
	if _, err := f.control.Write(append([]byte("plan\n"), message...)); err != nil {
		return fmt.Errorf("the fork server ended while it started: %w", err)
	}
	if err := f.awaitHello(ctx); err != nil {
		return err
	}
	return f.control.SetDeadline(time.Time{})
}

func (f *forkServer) awaitHello(ctx context.Context) error {
	importing := ""
	buffer := make([]byte, 4096)
	for {
		n, err := f.control.Read(buffer)
		ended := n == 0 && (err == nil || errors.Is(err, io.EOF))
		switch {
		case ended && importing != "":
			return unfit("%s ends the interpreter: %s", importing, f.stderr.last())
		case ended:
			return errors.New("the fork server ended while it started")
		case errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() == nil && importing != "":
			return unfit("%s is not imported within %s", importing, time.Duration(startTimeout.Load()))
		case err != nil:
			return fmt.Errorf("the fork server did not start: %w", err)
		}
		said := strings.ToValidUTF8(string(buffer[1:n]), "?")
		switch buffer[0] {
		case opHello:
			return nil
		case opImports:
			importing = said
		case opUnfit:
			return unfit("%s", said)
		default:
			return fmt.Errorf("the fork server began with message %d", buffer[0])
		}
	}
}

// unfit is the error about a module that cannot be preloaded.
func unfit(format string, args ...any) error {
	return fault.New(fault.Config, "executor.pool.preload: "+format, args...).
		WithRemedy("take it out of the list; programs can import it themselves if the interpreter has it")
}

// fork asks for a worker, which then confines itself; see worker.awaitReady. What it is
// given of own is its from here on, unless there is an error.
func (f *forkServer) fork(own directories, awaited bool) (*worker, error) {
	w, theirs, err := newWorker()
	if err != nil {
		return nil, err
	}
	defer func() {
		for _, fd := range theirs {
			unix.Close(fd)
		}
	}()
	w.server = f
	if f.scratch != "" {
		w.directory = f.scratch
	} else {
		w.directory = own.scratch
	}
	w.own = own
	f.mu.Lock()
	if f.gone != nil {
		f.mu.Unlock()
		w.closeFiles()
		return nil, f.gone
	}
	f.next++
	if f.next == workersPerServer.Load() {
		close(f.tired)
	}
	w.id = f.next
	f.workers[w.id] = w
	f.mu.Unlock()

	operation := byte(opFork)
	if awaited {
		operation = opForkNow
	}
	message := binary.LittleEndian.AppendUint64([]byte{operation}, w.id)
	message = append(message, w.directory+"\x00"+own.outputs...)
	if _, _, err := f.control.WriteMsgUnix(message, unix.UnixRights(theirs...), nil); err != nil {
		f.forget(w.id)
		f.end()
		w.closeFiles()
		return nil, fault.Wrap(fault.Unavailable, err, "the fork server is gone")
	}
	return w, nil
}

func (f *forkServer) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ending = true
}

// lives says whether workers are to be had of it, as far as is known. There may be none.
func (f *forkServer) lives() bool {
	if f == nil {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return !f.ending
}

func (f *forkServer) forget(id uint64) *worker {
	f.mu.Lock()
	defer f.mu.Unlock()
	w := f.workers[id]
	delete(f.workers, id)
	return w
}

func (f *forkServer) worker(id uint64) *worker {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.workers[id]
}

// readLoop takes the fork server's messages until it ends, and then tells every worker.
func (f *forkServer) readLoop() {
	defer close(f.done)
	buffer, rights := make([]byte, 4096), make([]byte, 256)
	for {
		n, rn, _, _, err := f.control.ReadMsgUnix(buffer, rights)
		if err != nil || n < 9 {
			break
		}
		f.handle(buffer[:n], rights[:rn])
	}
	f.end()
	f.control.Close()
	f.kill()
	err := f.cmd.Wait()
	f.mu.Lock()
	ended := fault.New(fault.Unavailable, "the fork server ended")
	ended.Err = err
	if said := f.stderr.last(); said != "" {
		ended.Err = errors.New(said)
	}
	f.gone = ended
	orphans := f.workers
	f.workers = nil
	f.mu.Unlock()
	for _, w := range orphans {
		w.setEnded(workerEnd{lost: true, reason: ended.Error()})
	}
}

func (f *forkServer) handle(message, rights []byte) {
	id := binary.LittleEndian.Uint64(message[1:9])
	switch message[0] {
	case opStarted:
		handle, err := pidfdOf(rights)
		if w := f.worker(id); w != nil && err == nil {
			w.setStarted(handle)
		} else if err == nil {
			unix.Close(handle)
		}
	case opEnded:
		if w := f.forget(id); w != nil && len(message) == endedSize {
			number := func(at int) uint64 { return binary.LittleEndian.Uint64(message[at : at+8]) }
			w.setEnded(workerEnd{
				status: unix.WaitStatus(binary.LittleEndian.Uint32(message[9:13])),
				cpu:    time.Duration(number(13)+number(21)) * time.Microsecond,
				peak:   int64(number(29)),
			})
		}
	case opRefused:
		if w := f.forget(id); w != nil {
			w.setEnded(workerEnd{lost: true, reason: string(message[9:])})
		}
	}
}

// closeWhenIdle closes once the last worker has ended, or ctx has.
func (f *forkServer) closeWhenIdle(ctx context.Context) {
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		f.mu.Lock()
		idle := len(f.workers) == 0
		f.mu.Unlock()
		if idle {
			break
		}
		select {
		case <-ctx.Done():
			f.close()
			return
		case <-ticker.C:
		}
	}
	f.close()
}

// close ends the fork server and its workers, and waits for them.
func (f *forkServer) close() {
	// Errors mean that it has ended already.
	_ = f.control.CloseWrite()
	_ = f.control.SetReadDeadline(time.Now().Add(2 * time.Second))
	<-f.done
}

func (f *forkServer) kill() {
	if f.cmd.Process != nil {
		// Already gone is as good as killed.
		_ = f.cmd.Process.Kill()
	}
}

func pidfdOf(rights []byte) (int, error) {
	messages, err := unix.ParseSocketControlMessage(rights)
	if err != nil {
		return -1, err
	}
	for _, message := range messages {
		fds, err := unix.ParseUnixRights(&message)
		if err == nil && len(fds) == 1 {
			unix.CloseOnExec(fds[0])
			return fds[0], nil
		}
	}
	return -1, errors.New("no descriptor in the message")
}

func unixConn(fd int) (*net.UnixConn, error) {
	file := os.NewFile(uintptr(fd), "control")
	defer file.Close()
	conn, err := net.FileConn(file)
	if err != nil {
		return nil, err
	}
	return conn.(*net.UnixConn), nil
}

// boundedLog keeps the end of what a process writes.
type boundedLog struct {
	mu    sync.Mutex
	limit int
	text  []byte
}

func (b *boundedLog) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.text = append(b.text, p...)
	if extra := len(b.text) - b.limit; extra > 0 {
		b.text = bytes.Clone(b.text[extra:])
	}
	return len(p), nil
}

// last gives the last line, where Python puts the exception.
func (b *boundedLog) last() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return lastLine(b.text)
}

func lastLine(text []byte) string {
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return lines[len(lines)-1]
}
