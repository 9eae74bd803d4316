package sidecar

import (
	"os"
	"sync"

	"golang.org/x/sys/unix"

	codemodev1 "github.com/codemode-sdk/codemode/internal/gen/codemode/v1"
)

var outputStreams = [2]codemodev1.Output_Stream{
	codemodev1.Output_STREAM_STDOUT, codemodev1.Output_STREAM_STDERR,
}

// outputChunk bounds the data of one Output message, in bytes.
const outputChunk = 64 << 10

// readChunk is how much of a pipe is read at once, in bytes.
const readChunk = 32 << 10

var chunks = sync.Pool{New: func() any { return new([readChunk]byte) }}

// readOutput reads one of the worker's pipes until it is closed. A slow client never
// stops it: what is not sent yet waits here, and the output limit bounds that.
func (e *execution) readOutput(pipe *os.File, which int) {
	conn, err := pipe.SyscallConn()
	if err != nil {
		return
	}
	for {
		open := false
		err := conn.Read(func(fd uintptr) bool {
			var again bool
			open, again = e.take(int(fd), which)
			return !again
		})
		if err != nil || !open {
			return
		}
	}
}

// take reads what is in the pipe now. It reads and appends under one lock, so that
// whoever finds the pipe empty knows that everything before is in e.output.
func (e *execution) take(fd, which int) (open, again bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.left {
		return false, false // it is for the next run of the session
	}
	if e.chunk == nil {
		e.chunk = chunks.Get().(*[readChunk]byte)
	}
	buffer := e.chunk[:]
	n, err := unix.Read(fd, buffer)
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
		return true, true
	case err != nil || n == 0:
		return false, false
	}
	room := int(min(int64(n), e.limits.OutputSize-e.taken))
	e.output[which] = append(e.output[which], buffer[:room]...)
	e.taken += int64(room)
	if room < n {
		e.cut = true
		if e.reason == codemodev1.Status_STATUS_UNSPECIFIED {
			e.reason = codemodev1.Status_STATUS_OUTPUT_LIMIT
		}
		e.worker.kill()
	}
	select {
	case e.wake <- struct{}{}:
	default:
	}
	return true, false
}

// drainAll takes what the worker has written so far.
func (e *execution) drainAll() {
	e.drain(e.worker.stdout, 0)
	e.drain(e.worker.stderr, 1)
}

func (e *execution) drain(pipe *os.File, which int) {
	conn, err := pipe.SyscallConn()
	if err != nil {
		return
	}
	// Control does not wait for the pipe to become readable, as Read would.
	_ = conn.Control(func(fd uintptr) {
		for {
			if open, again := e.take(int(fd), which); !open || again {
				return
			}
		}
	})
}

// sendOutput sends output as it appears, until the program is over.
func (e *execution) sendOutput() {
	for {
		select {
		case <-e.ending:
			return
		case <-e.wake:
		}
		e.sending.Lock()
		err := e.flushOutput()
		e.sending.Unlock()
		if err != nil {
			e.stop(codemodev1.Status_STATUS_CANCELLED)
			return
		}
	}
}

// flushOutput sends what has been read. The caller holds sending.
func (e *execution) flushOutput() error {
	e.mu.Lock()
	pending := e.output
	e.output = [2][]byte{}
	e.mu.Unlock()
	for which, data := range pending {
		for len(data) > 0 {
			part := data[:min(len(data), outputChunk)]
			data = data[len(part):]
			err := e.stream.Send(&codemodev1.ExecuteResponse{Message: &codemodev1.ExecuteResponse_Output{
				Output: &codemodev1.Output{Stream: outputStreams[which], Data: part},
			}})
			if err != nil {
				return err
			}
		}
	}
	return nil
}
