package sidecar

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/codemode-sdk/codemode/sidecar/cgroup"
	"github.com/codemode-sdk/codemode/sidecar/egress"
)

// Frames on a worker's control socket; see runner/channel.py.
const (
	frameReady   = 1
	frameFailed  = 2
	frameCall    = 3
	frameDone    = 4
	frameOutputs = 5
	frameNetwork = 6
	frameCredit  = 8
	frameStop    = 9
	frameCode    = 10
	frameRun     = 16
	frameValue   = 17
	frameFailure = 18
	frameRows    = 19
	framePart    = 7    // both ways
	frameMore    = 0x80 // added to a kind: parts follow

	frameHeader = 9 // length uint32, kind uint8, call id uint32, little-endian
)

// confineTimeout bounds how long a worker may take from its fork until it is ready.
const confineTimeout = 30 * time.Second

// A worker is one confined CPython process that runs one program.
type worker struct {
	id        uint64
	server    *forkServer
	directory string      // its own, in its own view of the file system
	own       directories // on the executor's file system, to be removed with it
	outputs   int         // the directory of what it leaves, or -1

	proxy  *egress.Proxy // where its connections lead, or nil
	outlet *outlet       // how they get there, or nil

	control        *os.File
	reader         *bufio.Reader
	stdout, stderr *os.File
	meter          meter
	group          *cgroup.Group // nil if there are none

	mu      sync.Mutex
	handle  int  // pidfd, or -1
	doomed  bool // to be killed as soon as there is a handle
	started chan struct{}
	ended   chan struct{}
	end     workerEnd // valid once ended is closed
}

// workerEnd says how a worker's process ended.
type workerEnd struct {
	status unix.WaitStatus
	cpu    time.Duration // of the process in its whole life
	peak   int64         // most resident memory, in bytes
	lost   bool          // there is no status: the fork server ended, or refused to fork
	reason string        // why, if it refused
}

// newWorker makes the descriptors of a worker: ours, and the three that it is given.
func newWorker() (_ *worker, theirs []int, err error) {
	var fds []int
	defer func() {
		if err != nil {
			for _, fd := range fds {
				unix.Close(fd)
			}
		}
	}()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("socketpair: %w", err)
	}
	fds = append(fds, pair[:]...)
	var out, errs [2]int
	for _, pipe := range []*[2]int{&out, &errs} {
		if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
			return nil, nil, fmt.Errorf("pipe: %w", err)
		}
		fds = append(fds, pipe[:]...)
	}
	for _, fd := range []int{pair[0], out[0], errs[0]} {
		if err := unix.SetNonblock(fd, true); err != nil {
			return nil, nil, fmt.Errorf("fcntl: %w", err)
		}
	}
	w := &worker{
		control: os.NewFile(uintptr(pair[0]), "worker control"),
		stdout:  os.NewFile(uintptr(out[0]), "worker stdout"),
		stderr:  os.NewFile(uintptr(errs[0]), "worker stderr"),
		handle:  -1,
		outputs: -1,
		started: make(chan struct{}),
		ended:   make(chan struct{}),
	}
	w.reader = bufio.NewReaderSize(w.control, 4<<10)
	return w, []int{pair[1], out[1], errs[1]}, nil
}

// awaitReady waits until the worker has confined itself.
func (w *worker) awaitReady(ctx context.Context) error {
	deadline := time.Now().Add(confineTimeout)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	if err := w.control.SetReadDeadline(deadline); err != nil {
		return err
	}
	if err := w.openOutputs(); err != nil {
		return w.unready(err)
	}
	if err := w.openOutlet(); err != nil {
		return w.unready(err)
	}
	kind, _, payload, err := w.readFrame(4 << 10)
	switch {
	case err != nil:
		return w.unready(err)
	case kind == frameFailed:
		return fmt.Errorf("a worker could not confine itself: %s", payload)
	case kind != frameReady:
		return fmt.Errorf("a worker began with frame %d", kind)
	}
	select {
	case <-w.started:
	case <-w.ended:
		return errors.New("a worker ended before it was ready")
	}
	if err := w.meter.open(w.handle); err != nil {
		return err
	}
	if w.server.plan.Commands {
		if err := w.meter.openTree(); err != nil {
			return err
		}
	}
	if groups := w.server.plan.Cgroups; groups != nil {
		if w.group, err = groups.Add(w.meter.pid, w.server.plan.Group); err != nil {
			return err
		}
	}
	return w.control.SetReadDeadline(time.Time{})
}

// unready ends a worker that did not become ready, and says why.
func (w *worker) unready(err error) error {
	w.kill()
	<-w.ended
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return slow("a worker was not ready within %s", confineTimeout)
	}
	if w.end.reason != "" {
		return errors.New(w.end.reason)
	}
	said, _ := io.ReadAll(io.LimitReader(w.stderr, 4<<10)) // best effort: the failure is reported anyway
	if line := lastLine(said); line != "" {
		return fmt.Errorf("a worker ended before it was ready: %s", line)
	}
	if w.end.status.Signaled() {
		return fmt.Errorf("a worker ended by %s before it was ready", unix.SignalName(w.end.status.Signal()))
	}
	return fmt.Errorf("a worker ended with exit code %d before it was ready: %w", w.end.status.ExitStatus(), err)
}

// readFrame reads one frame whose payload is at most limit bytes. The worker may be
// hostile: nothing is allocated before the length is checked.
func (w *worker) readFrame(limit int64) (kind byte, id uint32, payload []byte, err error) {
	var header [frameHeader]byte
	if _, err := io.ReadFull(w.reader, header[:]); err != nil {
		return 0, 0, nil, err
	}
	length := binary.LittleEndian.Uint32(header[0:4])
	kind, id = header[4], binary.LittleEndian.Uint32(header[5:9])
	if int64(length) > limit {
		return 0, 0, nil, protocolError(fmt.Sprintf("a frame of %d bytes, over the limit of %d", length, limit))
	}
	payload = make([]byte, length)
	if _, err := io.ReadFull(w.reader, payload); err != nil {
		return 0, 0, nil, err
	}
	return kind, id, payload, nil
}

// protocolError is what a worker did that the runner never does.
type protocolError string

func (e protocolError) Error() string { return "the program wrote to its control socket: " + string(e) }

func (w *worker) writeFrame(kind byte, id uint32, payload ...[]byte) error {
	length := 0
	for _, part := range payload {
		length += len(part)
	}
	frame := make([]byte, frameHeader, frameHeader+length)
	binary.LittleEndian.PutUint32(frame[0:4], uint32(length))
	frame[4] = kind
	binary.LittleEndian.PutUint32(frame[5:9], id)
	for _, part := range payload {
		frame = append(frame, part...)
	}
	_, err := w.control.Write(frame)
	return err
}

func (w *worker) setStarted(handle int) {
	w.mu.Lock()
	w.handle = handle
	doomed := w.doomed
	w.mu.Unlock()
	close(w.started)
	if doomed {
		w.kill()
	}
}

func (w *worker) setEnded(end workerEnd) {
	w.end = end
	close(w.ended)
}

func (w *worker) hasEnded() bool {
	select {
	case <-w.ended:
		return true
	default:
		return false
	}
}

// kill ends the process. A worker is a single process, so this ends all of it; or it has
// a keeper that sees to the rest, and ended is closed only when nothing is left.
func (w *worker) kill() { w.signal(unix.SIGKILL) }

func (w *worker) signal(sig unix.Signal) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.handle < 0 {
		w.doomed = w.doomed || sig == unix.SIGKILL
		return
	}
	// ESRCH, the only error there can be, means that it has ended.
	_ = unix.PidfdSendSignal(w.handle, sig, nil, 0)
}

// destroy ends the worker, waits for its end and takes away what was its own.
func (w *worker) destroy() error {
	w.kill()
	killed := w.group.Kill()
	<-w.ended
	w.closeFiles()
	w.mu.Lock()
	if w.handle >= 0 {
		unix.Close(w.handle)
		w.handle = -1
	}
	w.mu.Unlock()
	return errors.Join(killed, w.group.Remove(), w.own.remove())
}

func (w *worker) closeFiles() {
	w.control.Close()
	w.stdout.Close()
	w.stderr.Close()
	w.outlet.close()
	w.meter.close()
	if w.outputs >= 0 {
		unix.Close(w.outputs)
		w.outputs = -1
	}
}

// A meter measures a process from outside, by a descriptor that cannot come to mean
// another process.
type meter struct {
	pid    int
	status int // /proc/PID/status
	keeper int // the pid of its keeper, whose descendants are the run's; 0 without one
	floor  time.Duration
}

func (m *meter) open(pidfd int) error {
	m.status = -1
	var err error
	if m.pid, err = pidOf(pidfd); err != nil {
		return fmt.Errorf("cannot watch a worker: %w", err)
	}
	base := "/proc/" + strconv.Itoa(m.pid)
	if m.status, err = unix.Open(base+"/status", unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
		return fmt.Errorf("cannot watch a worker: %w", err)
	}
	m.floor = m.cpu()
	return nil
}

func pidOf(pidfd int) (int, error) {
	var info unix.PidfdInfo
	if err := unix.IoctlPidfdInfo(pidfd, &info); err == nil && info.Pid > 0 {
		return int(info.Pid), nil
	}
	// Before Linux 6.13, or the process has ended.
	text, err := os.ReadFile("/proc/self/fdinfo/" + strconv.Itoa(pidfd))
	if err != nil {
		return 0, err
	}
	_, rest, _ := bytes.Cut(text, []byte("\nPid:"))
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	pid, err := strconv.Atoi(string(bytes.TrimSpace(line)))
	if err != nil || pid <= 0 {
		return 0, fmt.Errorf("its pid is %q", line)
	}
	return pid, nil
}

func (m *meter) close() {
	if m.pid == 0 {
		return
	}
	if m.status >= 0 {
		unix.Close(m.status)
	}
	m.pid = 0
}

// cpu gives the processor time of all threads; zero once the process is gone.
func (m *meter) cpu() time.Duration {
	// The kernel's clock id for another process's CPU time, as clock_getcpuclockid(3) makes it.
	clock := int32(^uint32(m.pid)<<3 | 2)
	var t unix.Timespec
	if err := unix.ClockGettime(clock, &t); err != nil {
		return 0
	}
	return time.Duration(t.Nano())
}

// peak gives the most memory that was in use, in bytes, and the number of threads.
func (m *meter) peak() (bytesUsed int64, threads int) {
	var buffer [2048]byte
	n, err := unix.Pread(m.status, buffer[:], 0)
	if err != nil {
		return 0, 0
	}
	return statusNumber(buffer[:n], "VmHWM") << 10, int(statusNumber(buffer[:n], "Threads"))
}
