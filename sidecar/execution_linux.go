package sidecar

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/codemode-sdk/codemode/config"
	codemodev1 "github.com/codemode-sdk/codemode/internal/gen/codemode/v1"
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
	begun  time.Time

	sending sync.Mutex // one Send at a time, and output before what follows it

	mu          sync.Mutex
	chunk       *[readChunk]byte // what is read goes here first; nil before the first read
	output      [2][]byte        // read and not yet sent: stdout, stderr
	taken       int64            // bytes of output so far
	cut         bool             // there was more
	reason      codemodev1.Status
	open        map[uint32]bool // tool calls without a result
	calls       int
	threads     int  // seen when there were too many
	scratchFull bool // the worker's files were too many or too large
	overCPU     bool // its processes together took more processor time than they may

	writing sync.Mutex // one frame at a time to the worker
	readers sync.WaitGroup
	wake    chan struct{}
}

// run runs the program and gives the result; an error means that the client is gone.
func (e *execution) run(start *codemodev1.Start) (*codemodev1.Result, error) {
	e.open = map[uint32]bool{}
	e.wake = make(chan struct{}, 1)
	options := fmt.Appendf(nil, `{"tool_value_size":%d,"result_size":%d,"memory":%d}`,
		e.limits.ToolValueSize, e.limits.ResultSize, e.limits.Memory)
	manifest, err := manifestOf(start.GetTools())
	if err != nil {
		return nil, err
	}
	e.begun = time.Now()
	if err := e.worker.writeFrame(frameRun, 0, section(options), options,
		section(start.GetCode()), []byte(start.GetCode()), section(manifest), manifest); err != nil {
		return nil, status.Error(codes.Unavailable, "the worker was lost before the program started")
	}
	deadline := time.AfterFunc(e.limits.CodeTimeout, e.timeOut)
	defer deadline.Stop()

	e.readers.Go(func() { e.readOutput(e.worker.stdout, 0) })
	e.readers.Go(func() { e.readOutput(e.worker.stderr, 1) })
	finished := make(chan struct{})
	var sender sync.WaitGroup
	sender.Go(func() { e.sendOutput(finished) })
	go e.receive() // ends when the handler returns, as gRPC then ends the stream
	stop := context.AfterFunc(e.stream.Context(), func() { e.stop(codemodev1.Status_STATUS_CANCELLED) })
	defer stop()

	stopWatch := e.startWatch()
	defer stopWatch()

	done, value, err := e.converse()
	result := e.conclude(done, value, err)
	close(finished)
	sender.Wait()
	return result, nil
}

// finish sends what is left to send.
func (e *execution) finish(result *codemodev1.Result) error {
	e.sending.Lock()
	defer e.sending.Unlock()
	if err := e.flushOutput(); err != nil {
		return err
	}
	if err := e.sendArtifacts(); err != nil {
		return err
	}
	return e.stream.Send(&codemodev1.ExecuteResponse{Message: &codemodev1.ExecuteResponse_Result{Result: result}})
}

// watchInterval is how often a running program's memory and threads are looked at. The
// kernel's own limits hold in between: what it counts for a process is private memory,
// and this adds what a process shares.
const watchInterval = 25 * time.Millisecond

// startWatch costs a run nothing but a timer until the first interval is over.
func (e *execution) startWatch() (stop func()) {
	quit := make(chan struct{})
	first := time.AfterFunc(watchInterval, func() {
		ticker := time.NewTicker(watchInterval)
		defer ticker.Stop()
		for tick := 0; ; tick++ {
			if e.worker.own.scratch != "" && tick%scratchTicks == 0 {
				e.watchScratch()
			}
			peak, threads, cpu := e.worker.meter.use(e.limits.Threads)
			switch {
			case peak > e.limits.Memory+watchSlack:
				e.stop(codemodev1.Status_STATUS_MEMORY_LIMIT)
			case threads > e.limits.Threads:
				e.mu.Lock()
				e.threads = threads
				e.mu.Unlock()
				e.stop(codemodev1.Status_STATUS_KILLED)
			case cpu > e.limits.CPUTime+time.Second:
				e.mu.Lock()
				e.overCPU = true
				e.mu.Unlock()
				e.stop(codemodev1.Status_STATUS_TIMEOUT)
			}
			select {
			case <-quit:
				return
			case <-ticker.C:
			}
		}
	})
	return func() {
		first.Stop()
		close(quit)
	}
}

// scratchTicks is how many intervals lie between two looks at a worker's directory where
// that is on the executor's file system, and the kernel does not bound it.
const scratchTicks = 8

func (e *execution) watchScratch() {
	size, files := scratchUse(e.worker.own.scratch, e.limits.ScratchFiles)
	if size <= e.limits.ScratchSize && files <= e.limits.ScratchFiles && !e.outputsAreFull() {
		return
	}
	e.mu.Lock()
	e.scratchFull = true
	e.mu.Unlock()
	e.stop(codemodev1.Status_STATUS_KILLED)
}

// watchSlack is for the pages that a worker has in common with its fork server.
const watchSlack = 64 << 20

// stop ends the worker for a reason; the first reason counts.
func (e *execution) stop(reason codemodev1.Status) {
	e.setReason(reason)
	e.worker.kill()
}

func (e *execution) setReason(reason codemodev1.Status) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.reason == codemodev1.Status_STATUS_UNSPECIFIED {
		e.reason = reason
	}
}

func (e *execution) timeOut() {
	e.setReason(codemodev1.Status_STATUS_TIMEOUT)
	e.worker.signal(unix.SIGUSR1)
	select {
	case <-e.worker.ended:
	case <-time.After(deadlineGrace):
		e.worker.kill()
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

// converse takes the worker's frames until it is done, or gone.
func (e *execution) converse() (*doneMeta, []byte, error) {
	limit := max(e.limits.ToolValueSize+maxToolName+2, e.limits.ResultSize+metaLimit+4)
	for {
		kind, id, payload, err := e.worker.readFrame(limit)
		if err != nil {
			return nil, nil, err
		}
		switch kind {
		case frameCall:
			err = e.call(id, payload)
		case frameDone:
			return parseDone(payload, e.limits.ResultSize)
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

// call passes a tool call on, or answers it here if it is one too many.
func (e *execution) call(id uint32, payload []byte) error {
	if len(payload) < 2 {
		return protocolError("a short call")
	}
	length := int(binary.LittleEndian.Uint16(payload))
	if length == 0 || length > maxToolName || len(payload) < 2+length {
		return protocolError("a call with a wrong name length")
	}
	name, arguments := string(payload[2:2+length]), payload[2+length:]
	if !utf8.ValidString(name) || int64(len(arguments)) > e.limits.ToolValueSize {
		return protocolError("a call out of its limits")
	}
	e.mu.Lock()
	repeated, over := e.open[id], ""
	switch {
	case e.calls >= e.limits.ToolCalls:
		over = fmt.Sprintf("the run has made its %d tool calls (limits.tool_calls)", e.limits.ToolCalls)
	case len(e.open) >= e.limits.ConcurrentToolCalls:
		over = fmt.Sprintf("%d tool calls are under way already (limits.concurrent_tool_calls); gather fewer at once", len(e.open))
	case !repeated:
		e.open[id] = true
		e.calls++
	}
	e.mu.Unlock()
	if repeated {
		return protocolError("two calls with one id")
	}
	if over != "" {
		return e.answerFailure(id, "limit", over)
	}
	// What the program printed before the call is told before the call.
	e.drain(e.worker.stdout, 0)
	e.drain(e.worker.stderr, 1)
	e.sending.Lock()
	defer e.sending.Unlock()
	if err := e.flushOutput(); err != nil {
		return err
	}
	return e.stream.Send(&codemodev1.ExecuteResponse{Message: &codemodev1.ExecuteResponse_ToolCall{
		ToolCall: &codemodev1.ToolCall{Id: id, Tool: name, Arguments: arguments},
	}})
}

func (e *execution) answerFailure(id uint32, kind, message string) error {
	text, err := json.Marshal(map[string]string{"kind": kind, "message": message})
	if err != nil {
		return err
	}
	return e.answer(frameFailure, id, text)
}

func (e *execution) answer(kind byte, id uint32, payload []byte) error {
	e.writing.Lock()
	defer e.writing.Unlock()
	return e.worker.writeFrame(kind, id, payload)
}

// receive takes the client's messages until the stream ends.
func (e *execution) receive() {
	for {
		request, err := e.stream.Recv()
		if err != nil {
			if errors.Is(err, io.EOF) {
				// The client has nothing more to say; it may still want to listen, but a
				// program that calls a tool would wait for ever: the deadline sees to that.
				return
			}
			e.stop(codemodev1.Status_STATUS_CANCELLED)
			return
		}
		switch m := request.GetMessage().(type) {
		case *codemodev1.ExecuteRequest_ToolResult:
			e.toolResult(m.ToolResult)
		default: // Cancel, or something that has no place here
			e.stop(codemodev1.Status_STATUS_CANCELLED)
			return
		}
	}
}

func (e *execution) toolResult(r *codemodev1.ToolResult) {
	e.mu.Lock()
	known := e.open[r.GetId()]
	delete(e.open, r.GetId())
	e.mu.Unlock()
	if !known {
		return // late, or made up: no one waits for it
	}
	var err error
	switch outcome := r.GetOutcome().(type) {
	case *codemodev1.ToolResult_Value:
		if size := int64(len(outcome.Value)); size > e.limits.ToolValueSize {
			err = e.answerFailure(r.GetId(), "too_large", fmt.Sprintf(
				"the result takes %d bytes; the limit is %d (limits.tool_value_size)", size, e.limits.ToolValueSize))
		} else {
			err = e.answer(frameValue, r.GetId(), outcome.Value)
		}
	case *codemodev1.ToolResult_Failure:
		err = e.answerFailure(r.GetId(), outcome.Failure.GetKind(), outcome.Failure.GetMessage())
	default:
		err = e.answerFailure(r.GetId(), "failed", "the application sent no result")
	}
	if err != nil && !errors.Is(err, unix.EPIPE) && !errors.Is(err, os.ErrClosed) {
		e.stop(codemodev1.Status_STATUS_KILLED)
	}
}

// conclude makes the result from what the worker said and from what was measured.
func (e *execution) conclude(done *doneMeta, value []byte, cause error) *codemodev1.Result {
	wall := time.Since(e.begun)
	result := &codemodev1.Result{Usage: &codemodev1.Usage{Wall: durationpb.New(wall)}}
	peak, _ := e.worker.meter.peak()
	result.Usage.MaxRssBytes = peak
	cpu := e.worker.meter.cpu()
	if e.worker.meter.keeper != 0 {
		_, _, whole := e.worker.meter.use(e.limits.Threads)
		cpu = max(cpu, whole)
	}
	result.Usage.Cpu = durationpb.New(max(0, cpu-e.worker.meter.floor))
	if done != nil {
		e.drain(e.worker.stdout, 0)
		e.drain(e.worker.stderr, 1)
		e.worker.kill()
	} else {
		var violation protocolError
		if errors.As(cause, &violation) {
			e.setReason(codemodev1.Status_STATUS_KILLED)
		}
		e.awaitEnd()
		// It may have been gone before it could be looked at.
		result.Usage.MaxRssBytes = max(peak, e.worker.end.peak)
		result.Usage.Cpu = durationpb.New(max(0, max(cpu, e.worker.end.cpu)-e.worker.meter.floor))
	}
	e.mu.Lock()
	reason, cut := e.reason, e.cut
	e.mu.Unlock()
	result.Truncated = cut
	switch {
	case done != nil && (reason == codemodev1.Status_STATUS_UNSPECIFIED || done.Status == "timeout" && reason == codemodev1.Status_STATUS_TIMEOUT):
		result.Status, result.ExitCode, result.Value = statusOf[done.Status], done.ExitCode, value
		if done.Error != nil {
			result.Error = &codemodev1.ProgramError{
				Type: valid(done.Error.Type), Message: valid(done.Error.Message),
				Traceback: valid(done.Error.Traceback), Line: done.Error.Line,
			}
		}
		if result.Status == codemodev1.Status_STATUS_TIMEOUT && result.Error != nil {
			result.Error.Type, result.Error.Message = "Timeout", e.timeoutMessage()
		}
		if result.Status == codemodev1.Status_STATUS_MEMORY_LIMIT && result.Error != nil && result.Error.Message == "" {
			result.Error.Message = e.memoryMessage()
		}
	case reason != codemodev1.Status_STATUS_UNSPECIFIED:
		e.explain(result, reason, cause)
	default:
		e.explainEnd(result)
	}
	return result
}

func (e *execution) timeoutMessage() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.overCPU {
		return fmt.Sprintf("the program and its commands used more than their %s of processor time", e.limits.CPUTime)
	}
	return fmt.Sprintf("the run took longer than its limit of %s", e.limits.CodeTimeout)
}

func (e *execution) memoryMessage() string {
	return fmt.Sprintf("the program used more than its %d MiB of memory", e.limits.Memory>>20)
}

// explain fills in a result for a run that the executor ended.
func (e *execution) explain(result *codemodev1.Result, reason codemodev1.Status, cause error) {
	result.Status, result.ExitCode = reason, 128+int32(unix.SIGKILL)
	failure := &codemodev1.ProgramError{}
	switch reason {
	case codemodev1.Status_STATUS_TIMEOUT:
		failure.Type, failure.Message = "Timeout", e.timeoutMessage()
	case codemodev1.Status_STATUS_OUTPUT_LIMIT:
		failure.Type = "OutputLimit"
		failure.Message = fmt.Sprintf("the program wrote more than %d bytes of output", e.limits.OutputSize)
	case codemodev1.Status_STATUS_MEMORY_LIMIT:
		failure.Type = "MemoryLimit"
		failure.Message = e.memoryMessage()
	case codemodev1.Status_STATUS_CANCELLED:
		failure.Type, failure.Message = "Cancelled", "the run was cancelled"
	default:
		failure.Type, failure.Message = "Killed", "the program was ended"
		var violation protocolError
		switch {
		case e.threads > 0:
			failure.Message = fmt.Sprintf("the program had %d threads; the limit is %d", e.threads, e.limits.Threads)
		case e.scratchFull:
			failure.Type = "ScratchLimit"
			failure.Message = fmt.Sprintf("the program's files take more than %d MiB, or are more than %d",
				e.limits.ScratchSize>>20, e.limits.ScratchFiles)
		case errors.As(cause, &violation):
			failure.Message = valid(violation.Error())
		}
	}
	result.Error = failure
}

// explainEnd fills in a result for a program whose process ended by itself.
func (e *execution) explainEnd(result *codemodev1.Result) {
	end := e.worker.end
	switch {
	case end.lost:
		result.Status = codemodev1.Status_STATUS_KILLED
		result.ExitCode = 128 + int32(unix.SIGKILL)
		result.Error = &codemodev1.ProgramError{Type: "Killed", Message: "the program's process was lost"}
	case end.status.Signaled() && end.status.Signal() == unix.SIGXCPU:
		result.Status = codemodev1.Status_STATUS_TIMEOUT
		result.ExitCode = 128 + int32(unix.SIGXCPU)
		result.Error = &codemodev1.ProgramError{
			Type: "Timeout", Message: fmt.Sprintf("the program used more than its %s of processor time", e.limits.CPUTime),
		}
	case end.status.Signaled():
		result.Status = codemodev1.Status_STATUS_KILLED
		result.ExitCode = 128 + int32(end.status.Signal())
		result.Error = &codemodev1.ProgramError{
			Type:    "Killed",
			Message: fmt.Sprintf("the program's process ended by signal %s", unix.SignalName(end.status.Signal())),
		}
	default:
		result.Status = codemodev1.Status_STATUS_ERROR
		result.ExitCode = int32(end.status.ExitStatus())
		result.Error = &codemodev1.ProgramError{
			Type: "SystemExit",
			Message: fmt.Sprintf("the program's process ended itself with exit code %d before it gave a result",
				end.status.ExitStatus()),
		}
	}
}

// awaitEnd waits until the process is gone, and has read what it wrote.
func (e *execution) awaitEnd() {
	select {
	case <-e.worker.ended:
	case <-time.After(50 * time.Millisecond):
		// It closed its control socket and lives on.
		e.setReason(codemodev1.Status_STATUS_KILLED)
		e.worker.kill()
		<-e.worker.ended
	}
	e.readers.Wait()
}

// valid makes text of what a worker sent.
func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

func section[T []byte | string](part T) []byte {
	return binary.LittleEndian.AppendUint32(nil, uint32(len(part)))
}

// manifestOf tells the runner what the program may call; see runner/tools.py.
func manifestOf(tools []*codemodev1.Tool) ([]byte, error) {
	if len(tools) == 0 {
		return nil, nil
	}
	entries := make([][]any, len(tools))
	for i, tool := range tools {
		parameters, required := make([][2]string, len(tool.GetParameters())), []string{}
		for j, parameter := range tool.GetParameters() {
			python := parameter.GetPythonName()
			if python == "" {
				python = parameter.GetName()
			}
			parameters[j] = [2]string{parameter.GetName(), python}
			if parameter.GetRequired() {
				required = append(required, parameter.GetName())
			}
		}
		path := tool.GetPath()
		if len(path) == 0 {
			path = []string{tool.GetName()}
		}
		entries[i] = []any{tool.GetName(), parameters, required, tool.GetExtraArguments(), tool.GetStub(), path}
	}
	return json.Marshal(entries)
}
