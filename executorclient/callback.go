package executorclient

import (
	"cmp"
	"context"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/codemode-sdk/codemode/executorclient/toolservice"
	codemodev1 "github.com/codemode-sdk/codemode/internal/gen/codemode/v1"
)

// A Callback has executors make their tool calls by dialling this process, in place of
// the stream on which it sent the program. An executor that does not know how uses the
// stream all the same.
type Callback struct {
	// Service serves the tools; the caller serves it on a listener.
	Service *toolservice.Server
	// Address is where executors find Service: one that their executor.callback.addresses
	// has, in the same forms as Options.Address.
	Address string
}

// executeStream is a run's messages, on whatever they travel.
type executeStream interface {
	Send(*codemodev1.ExecuteRequest) error
	Recv() (*codemodev1.ExecuteResponse, error)
	Trailer() metadata.MD
}

// gapPatience is how long a message waits for one before it, which travels on the other
// stream, and may have been lost with it.
const gapPatience = 2 * time.Second

// joined makes one stream of the execution's own and of the one on which the executor
// brings the tool calls, in the order in which the executor sent the messages. Each holds
// one message at most that has not been taken.
type joined struct {
	executeStream // the execution's own
	ctx           context.Context
	withdraw      func()
	messages      chan *codemodev1.ExecuteResponse
	ended         chan error // of the execution's own stream; never closed
	reading       sync.WaitGroup

	mu    sync.Mutex
	next  uint64        // sequence of the next message to take
	moved chan struct{} // closed when next changes
	calls toolservice.Stream
	onOwn map[uint32]bool // calls that came on the execution's own stream
}

// join begins before the execution does: its capability is part of the start.
func (c *Callback) join(ctx context.Context, request Request) (*joined, *codemodev1.Callback) {
	j := &joined{
		ctx: ctx, messages: make(chan *codemodev1.ExecuteResponse), ended: make(chan error, 1),
		next: 1, moved: make(chan struct{}), onOwn: map[uint32]bool{},
	}
	var capability string
	capability, j.withdraw = c.Service.Grant(ctx, request.Tools, j.attach)
	return j, &codemodev1.Callback{Address: c.Address, Capability: capability}
}

// read takes the execution's own messages from here on.
func (j *joined) read(own executeStream) executeStream {
	j.executeStream = own
	j.reading.Go(func() {
		for {
			m, err := own.Recv()
			if err != nil {
				j.ended <- err
				return
			}
			if call := m.GetToolCall(); call != nil {
				j.mu.Lock()
				j.onOwn[call.GetId()] = true
				j.mu.Unlock()
			}
			if !j.deliver(m) {
				return
			}
		}
	})
	return j
}

// close ends it all; ctx has to have ended.
func (j *joined) close() {
	j.withdraw()
	j.reading.Wait()
}

// attach takes the executor's tool calls until their stream ends, or the run does.
func (j *joined) attach(calls toolservice.Stream) error {
	j.mu.Lock()
	j.calls = calls // one that was lost is not waited for
	j.mu.Unlock()
	received := make(chan error, 1)
	go func() {
		received <- j.receive(calls)
	}()
	// The handler's return is what ends a Recv.
	select {
	case err := <-received:
		return err
	case <-j.ctx.Done():
		return nil
	}
}

func (j *joined) receive(calls toolservice.Stream) error {
	for {
		request, err := calls.Recv()
		if err != nil {
			return nil //nolint:nilerr // the executor knows why it went
		}
		m := request.GetMessage()
		if !ofCalls(m) {
			return status.Error(codes.InvalidArgument, "only messages of tool calls travel here")
		}
		if !j.deliver(m) {
			return nil
		}
	}
}

// ofCalls says whether a message belongs to a tool call.
func ofCalls(m *codemodev1.ExecuteResponse) bool {
	switch m := m.GetMessage().(type) {
	case *codemodev1.ExecuteResponse_ToolCall, *codemodev1.ExecuteResponse_Credit, *codemodev1.ExecuteResponse_Stop:
		return true
	case *codemodev1.ExecuteResponse_Part:
		return m.Part.GetId() != 0
	}
	return false
}

// deliver hands a message over when it is its turn; false if the run is over.
func (j *joined) deliver(m *codemodev1.ExecuteResponse) bool {
	if m.GetSequence() > 0 && !j.turn(m.GetSequence()) {
		return true // it comes after what was sent later: nobody waits for it any more
	}
	select {
	case j.messages <- m:
	case <-j.ctx.Done():
		return false
	}
	if m.GetSequence() > 0 {
		j.mu.Lock()
		j.next = m.GetSequence() + 1
		close(j.moved)
		j.moved = make(chan struct{})
		j.mu.Unlock()
	}
	return true
}

// turn waits until all messages before this one were taken, or have been lost.
func (j *joined) turn(sequence uint64) bool {
	patience := time.NewTimer(gapPatience)
	defer patience.Stop()
	for {
		j.mu.Lock()
		next, moved := j.next, j.moved
		j.mu.Unlock()
		if sequence <= next {
			return sequence == next
		}
		select {
		case <-moved:
			patience.Reset(gapPatience)
		case <-patience.C:
			return true
		case <-j.ctx.Done():
			return false
		}
	}
}

func (j *joined) Recv() (*codemodev1.ExecuteResponse, error) {
	select {
	case m := <-j.messages:
		return m, nil
	case err := <-j.ended:
		return nil, err
	case <-j.ctx.Done():
		return nil, status.FromContextError(j.ctx.Err()).Err()
	}
}

// Send sends what belongs to a call back to where the call came from.
func (j *joined) Send(m *codemodev1.ExecuteRequest) error {
	id := cmp.Or(m.GetToolResult().GetId(), m.GetPart().GetId())
	if id == 0 {
		return j.executeStream.Send(m)
	}
	j.mu.Lock()
	own, calls := j.onOwn[id], j.calls
	j.mu.Unlock()
	if own || calls == nil {
		return j.executeStream.Send(m)
	}
	// An error means that this stream is lost: for the program, the call has failed.
	_ = calls.Send(&codemodev1.CallToolResponse{Message: m})
	return nil
}

var _ executeStream = grpc.BidiStreamingClient[codemodev1.ExecuteRequest, codemodev1.ExecuteResponse](nil)
