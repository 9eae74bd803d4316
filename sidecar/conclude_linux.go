package sidecar

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/types/known/durationpb"

	codemodev1 "github.com/codemode-sdk/codemode/internal/gen/codemode/v1"
)

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
		e.drainAll()
		if !e.leave(done) && e.worker.outputs >= 0 {
			e.worker.kill() // so that what it leaves stays as it is; others are killed when they are retired
		}
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
	if e.session != nil && !e.left {
		result.SessionEnded = true
		if result.Error != nil {
			result.Error.Message += "; this has ended its session"
		}
	}
	return result
}

func (e *execution) timeoutMessage() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.overCPU && e.session != nil {
		return fmt.Sprintf("the program used more than its %s of processor time", e.limits.CPUTime)
	}
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
		case e.stopped:
			failure.Type, failure.Message = "Stopped", "the executor was stopped before the program came to its end"
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
	case end.status.Signaled() && e.worker.group.OutOfMemory():
		e.explain(result, codemodev1.Status_STATUS_MEMORY_LIMIT, nil)
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
		// It closed its control socket and lives on; or the news of its end are late, and
		// then the kill finds nobody. A program that killed itself cannot be told from one
		// that was killed here, and need not be.
		e.worker.kill()
		<-e.worker.ended
	}
	e.readers.Wait()
	e.drainAll() // a program that ended at once had no readers
}

// valid makes text of what a worker sent.
func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
