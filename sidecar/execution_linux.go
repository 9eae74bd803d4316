package sidecar

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sys/unix"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/internal/deadline"
	codemodev1 "github.com/codemode-sdk/codemode/internal/gen/codemode/v1"
	"github.com/codemode-sdk/codemode/internal/manifest"
)

// deadlineGrace is what a program whose time is over gets to unwind, so that its
// traceback says where it was; then it is killed.
const deadlineGrace = 100 * time.Millisecond

// metaLimit bounds what a worker says about its end, apart from the result.
const metaLimit = 256 << 10

// maxToolName bounds a tool's name, in bytes.
const maxToolName = 256

type executeStream interface {
	Context() context.Context
	Send(*codemodev1.ExecuteResponse) error
	Recv() (*codemodev1.ExecuteRequest, error)
}

// An execution is one program on one worker.
type execution struct {
	id     string
	limits config.Limits
	worker *worker
	stream executeStream

	moreTools bool // the client answers questions
	begun     time.Time

	sending  sync.Mutex          // one Send at a time, and output before what follows it
	started  *codemodev1.Started // not sent yet, or nil; guarded by sending
	attended sync.Once           // whether somebody attends to what happens besides the program's frames
	ending   chan struct{}       // closed when the program is over
	sender   sync.WaitGroup

	mu          sync.Mutex
	chunk       *[readChunk]byte // what is read goes here first; nil before the first read
	output      [2][]byte        // read and not yet sent: stdout, stderr
	taken       int64            // bytes of output so far
	cut         bool             // there was more
	reason      codemodev1.Status
	open        map[uint32]*openCall
	places      chan struct{}  // one for each call that the client has and that does not stream
	uses        map[string]int // by name, in record.Tools
	told        func(tool string, failed bool, took time.Duration)
	calls       int
	streams     int  // those in open that stream
	questions   int  // about the tools
	threads     int  // seen when there were too many
	scratchFull bool // the worker's files were too many or too large
	stopped     bool // the executor stops and does not wait for it
	left        bool // the worker is the session's again, and no business of this run
	overCPU     bool // its processes together took more processor time than they may

	// Set before the program starts.
	memory    int64 // the most that any program may have
	codes     *codeCache
	key       codeKey
	parts     bool            // the client takes values in parts
	streaming map[string]bool // the tools that stream

	tools   []*codemodev1.Tool
	cutting context.Context // ends when a stopping executor does not wait any longer

	record   Record
	finished func() // gets the complete record

	resultSent int64 // bytes of the result that the client has, of whoever reads the worker's frames

	deadline *deadline.Deadline

	session *session // or nil

	writing sync.Mutex // one frame at a time to the worker
	torn    bool       // not all of one could be written
	readers sync.WaitGroup
	wake    chan struct{}
}

// errWorkerLost is of a worker that did not get its program: it ended while it was ready.
var errWorkerLost = status.Error(codes.Unavailable, "the worker was lost before the program started")

// run runs the program and gives the result; an error means that the worker was lost before
// it had the program. The client is told that the program started before anything else.
func (e *execution) run(start *codemodev1.Start, started *codemodev1.Started) (*codemodev1.Result, error) {
	e.open = map[uint32]*openCall{}
	e.use(start)
	e.places = make(chan struct{}, e.limits.ConcurrentToolCalls)
	e.wake = make(chan struct{}, 1)
	known, err := manifest.Encode(start.GetTools(), start.GetMoreTools())
	if err != nil {
		return nil, err
	}
	var code []byte
	keep := false
	if e.session == nil { // whose worker is not believed what a program compiles to
		e.key = keyOf(callerOf(e.stream.Context()), start.GetCode(), known)
		code, keep = e.codes.get(e.key)
	}
	options := e.options(keep)
	// What is asked for is at most the executor's own limit, and as a rule it.
	if err := e.worker.group.LowerMemory(e.limits.Memory + e.worker.server.plan.GroupSlack); err != nil {
		return nil, status.Error(codes.Unavailable, "the worker's memory could not be bounded")
	}
	if e.session != nil {
		e.session.resume(e)
	}
	e.worker.prioritize()
	e.begun = time.Now()
	if err := e.worker.writeFrame(frameRun, 0, section(options), options,
		section(start.GetCode()), []byte(start.GetCode()), section(known), known, section(code), code); err != nil {
		return nil, errWorkerLost
	}
	e.deadline = deadline.New(e.limits.CodeTimeout, e.limits.ApprovalWait, e.timeOut)
	defer e.deadline.Stop()
	stop := context.AfterFunc(e.stream.Context(), func() { e.stop(codemodev1.Status_STATUS_CANCELLED) })
	defer stop()
	spare := context.AfterFunc(e.cutting, e.cutOff)
	defer spare()
	e.started, e.ending = started, make(chan struct{})
	soon := time.AfterFunc(attendDelay, e.attend)
	defer soon.Stop()
	stopWatch := e.startWatch()
	defer stopWatch()

	done, value, err := e.converse(keep)
	e.attended.Do(func() {}) // from here on nobody needs to
	result := e.conclude(done, value, err)
	close(e.ending)
	e.sender.Wait()
	return result, nil
}

// attendDelay is how long a program runs before anybody attends to more than its frames.
// Many are over by then, and have cost no more than that.
const attendDelay = 5 * time.Millisecond

// attend tells the client that the program has started, and passes on what it prints and
// what the client says. A program that calls a tool is attended to at once.
func (e *execution) attend() {
	e.attended.Do(func() {
		e.sending.Lock()
		err := e.sendStarted()
		e.sending.Unlock()
		if err != nil {
			e.stop(codemodev1.Status_STATUS_CANCELLED)
		}
		e.readers.Go(func() { e.readOutput(e.worker.stdout, 0) })
		e.readers.Go(func() { e.readOutput(e.worker.stderr, 1) })
		e.sender.Go(e.sendOutput)
		go e.receive() // ends when the handler returns, as gRPC then ends the stream
	})
}

// sendStarted tells the client that the program has started, once. The caller holds
// sending.
func (e *execution) sendStarted() error {
	started := e.started
	if started == nil {
		return nil
	}
	e.started = nil
	return e.stream.Send(&codemodev1.ExecuteResponse{Message: &codemodev1.ExecuteResponse_Started{Started: started}})
}

// finish sends what is left to send.
func (e *execution) finish(result *codemodev1.Result) error {
	e.sending.Lock()
	defer e.sending.Unlock()
	if err := e.sendStarted(); err != nil {
		return err
	}
	if err := e.flushOutput(); err != nil {
		return err
	}
	if err := e.sendArtifacts(); err != nil {
		return err
	}
	return e.stream.Send(&codemodev1.ExecuteResponse{Message: &codemodev1.ExecuteResponse_Result{Result: result}})
}

// stop ends the worker for a reason; the first reason counts.
func (e *execution) stop(reason codemodev1.Status) {
	e.setReason(reason)
	e.signal(unix.SIGKILL)
}

// signal sends a signal to the worker, while it is this run's.
func (e *execution) signal(sig unix.Signal) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.left {
		e.worker.signal(sig)
	}
}

// cutOff ends the program of a stopping executor.
func (e *execution) cutOff() {
	e.mu.Lock()
	e.stopped = true
	e.mu.Unlock()
	e.stop(codemodev1.Status_STATUS_KILLED)
}

func (e *execution) setReason(reason codemodev1.Status) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.reason == codemodev1.Status_STATUS_UNSPECIFIED && !e.left {
		e.reason = reason
	}
}

func (e *execution) timeOut() {
	e.setReason(codemodev1.Status_STATUS_TIMEOUT)
	e.signal(unix.SIGUSR1)
	select {
	case <-e.worker.ended:
	case <-time.After(deadlineGrace):
		e.signal(unix.SIGKILL)
	}
}

// doneMeta is what a worker says about its end.
type doneMeta struct {
	Status   string `json:"status"`
	ExitCode int32  `json:"exit_code"`
	Error    *struct {
		Type      string `json:"type"`
		Message   string `json:"message"`
		Traceback string `json:"traceback"`
		Line      int32  `json:"line"`
	} `json:"error"`
}

// options says how to run; see _OPTIONS in runner/worker.py.
func (e *execution) options(keep bool) []byte {
	little := binary.LittleEndian
	memory, part, flags := uint64(0), uint32(0), byte(0)
	if e.limits.Memory < e.memory {
		memory = uint64(e.limits.Memory)
	}
	if e.parts {
		part = partSize
	}
	if keep {
		flags = 1
	}
	if e.session != nil {
		flags |= 2
	}
	options := little.AppendUint64(nil, uint64(e.limits.ToolValueSize))
	options = little.AppendUint64(options, uint64(e.limits.ResultSize))
	options = little.AppendUint64(options, memory)
	options = little.AppendUint32(options, part)
	options = little.AppendUint32(options, rowsWindow)
	return append(options, flags)
}

// converse takes the worker's frames until it is done, or gone. The first may be the
// code that the program compiled to, if keep says that it is wanted.
func (e *execution) converse(keep bool) (*doneMeta, []byte, error) {
	limit := max(e.limits.ToolValueSize+maxToolName+2, e.limits.ResultSize+metaLimit+4)
	if e.parts {
		limit = partSize + metaLimit + 4
	}
	for first := true; ; first = false {
		kind, id, payload, err := e.worker.readFrame(limit)
		if err != nil {
			return nil, nil, err
		}
		if kind == frameCode && first && keep {
			e.codes.put(e.key, payload)
			continue
		}
		more := kind&frameMore != 0
		switch kind {
		case frameCall, frameCall | frameMore:
			err = e.call(id, payload, more)
		case framePart, framePart | frameMore:
			err = e.part(id, payload, more)
		case frameCredit:
			err = e.credit(id, payload)
		case frameStop:
			err = e.stopRows(id)
		case frameDone:
			return parseDone(payload, e.limits.ResultSize-e.resultSent)
		default:
			err = protocolError(fmt.Sprintf("an unknown frame %d", kind))
		}
		if err != nil {
			return nil, nil, err
		}
	}
}

func parseDone(payload []byte, limit int64) (*doneMeta, []byte, error) {
	if len(payload) < 4 {
		return nil, nil, protocolError("a short final frame")
	}
	length := binary.LittleEndian.Uint32(payload)
	rest := payload[4:]
	if uint64(length) > uint64(len(rest)) || length > metaLimit || int64(len(rest))-int64(length) > limit {
		return nil, nil, protocolError("a final frame with wrong lengths")
	}
	var meta doneMeta
	if err := json.Unmarshal(rest[:length], &meta); err != nil {
		return nil, nil, protocolError("a final frame that is not JSON")
	}
	if _, known := statusOf[meta.Status]; !known {
		return nil, nil, protocolError("a final frame with an unknown status")
	}
	return &meta, rest[length:], nil
}

var statusOf = map[string]codemodev1.Status{
	"ok":           codemodev1.Status_STATUS_OK,
	"error":        codemodev1.Status_STATUS_ERROR,
	"timeout":      codemodev1.Status_STATUS_TIMEOUT,
	"memory_limit": codemodev1.Status_STATUS_MEMORY_LIMIT,
}

func section[T []byte | string](part T) []byte {
	return binary.LittleEndian.AppendUint32(nil, uint32(len(part)))
}
