package sidecar

import (
	"strings"
	"sync/atomic"
	"time"

	codemodev1 "github.com/codemode-sdk/codemode/internal/gen/codemode/v1"
)

const statusRejected = "rejected"

// maxErrorType bounds what a record quotes of a program, in bytes.
const maxErrorType = 100

// telling is whom a server tells of its executions.
type telling struct {
	observers []Observer
	audit     atomic.Pointer[string] // config.SidecarConfig.Audit
}

// Observe adds somebody to be told. Call it before Serve and Dial.
func (s *Server) Observe(o Observer) { s.observers = append(s.observers, o) }

func (s *Server) executed(record *Record) {
	s.writeAudit(record)
	for _, o := range s.observers {
		o.Executed(record)
	}
}

func (s *Server) refuse(record *Record, reason string) {
	record.Status, record.Reason, record.Queued = statusRejected, reason, time.Since(record.Received)
	s.executed(record)
}

func (s *Server) toolCalled(tool string, failed bool, took time.Duration) {
	outcome := ToolOK
	if failed {
		outcome = ToolFailed
	}
	for _, o := range s.observers {
		o.ToolCalled(tool, outcome, took)
	}
}

// asked counts a call of a tool, and gives its entry in the record. The caller holds mu.
func (e *execution) asked(name string) (use int) {
	use = e.useOf(name)
	e.record.Tools[use].Calls++
	e.record.Tools[use].Unanswered++
	return use
}

// useOf finds the entry of a tool in the record. The caller holds mu. What a worker calls
// need not be a tool: it makes no entries of its own.
func (e *execution) useOf(name string) int {
	if use, known := e.uses[name]; known {
		return use
	}
	if !e.offered(name) {
		name = UnknownTool
		if use, known := e.uses[name]; known {
			return use
		}
	}
	if e.uses == nil {
		e.uses = map[string]int{}
	}
	e.uses[name] = len(e.record.Tools)
	e.record.Tools = append(e.record.Tools, ToolUse{Tool: name})
	return e.uses[name]
}

func (e *execution) offered(name string) bool {
	for _, tool := range e.tools {
		if tool.GetName() == name {
			return true
		}
	}
	return false
}

// answered notes the outcome of a call, and tells it. The caller holds mu.
func (e *execution) answered(call *openCall, failed bool) {
	use, took := &e.record.Tools[call.use], time.Since(call.begun)
	use.Time += took
	use.Unanswered--
	if failed {
		use.Failed++
	}
	if e.told != nil {
		e.told(use.Tool, failed, took)
	}
}

// conclusion puts what became of the program into the record.
func (e *execution) conclusion(result *codemodev1.Result) {
	r := &e.record
	r.Status, r.Reason = statusName(result.GetStatus()), ""
	r.ErrorType = result.GetError().GetType()
	r.ErrorType = strings.ToValidUTF8(r.ErrorType[:min(len(r.ErrorType), maxErrorType)], "")
	usage := result.GetUsage()
	r.Wall, r.CPU, r.MaxRSSBytes = usage.GetWall().AsDuration(), usage.GetCpu().AsDuration(), usage.GetMaxRssBytes()
}

func statusName(s codemodev1.Status) string {
	return strings.ToLower(strings.TrimPrefix(s.String(), "STATUS_"))
}

// over completes the record once the worker is gone, and tells it.
func (e *execution) over() {
	e.mu.Lock() // the client's last messages may still arrive
	e.open = nil
	e.mu.Unlock()
	e.record.Egress = e.worker.outlet.verdicts()
	if e.finished != nil {
		e.finished()
	}
}
