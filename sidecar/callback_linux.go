package sidecar

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/internal/apikey"
	"github.com/codemode-sdk/codemode/internal/fault"
	codemodev1 "github.com/codemode-sdk/codemode/internal/gen/codemode/v1"
	"github.com/codemode-sdk/codemode/internal/reconnect"
	"github.com/codemode-sdk/codemode/internal/tlsfiles"
)

// capabilityHeader is the metadata that carries a capability; see tools.proto.
const capabilityHeader = "codemode-capability"

// maxCapability bounds a capability, in bytes.
const maxCapability = 512

// openPatience bounds the wait for a connection to an application.
const openPatience = 10 * time.Second

// callbacks are the connections to the applications that the executor may dial, one for
// each address, which all their executions share.
type callbacks struct {
	allowed []string
	key     config.Secret
	secure  bool // whatever the scheme
	source  *tlsfiles.Source
	limit   int // of a message, in bytes
	log     *slog.Logger

	mu     sync.Mutex
	conns  map[string]*grpc.ClientConn
	closed bool
}

func newCallbacks(cfg config.SidecarConfig, limit int, log *slog.Logger) (*callbacks, error) {
	c := &callbacks{
		allowed: cfg.Callback.Addresses, key: cfg.Callback.APIKey, secure: cfg.TLS.Enabled,
		limit: limit, log: log, conns: map[string]*grpc.ClientConn{},
	}
	if len(c.allowed) == 0 {
		return c, nil
	}
	var err error
	// The executor shows its own certificate where it is the client.
	c.source, err = tlsfiles.Load(tlsfiles.Files{Cert: cfg.TLS.CertFile, Key: cfg.TLS.KeyFile, CA: cfg.TLS.CAFile}, func(err error) {
		log.Error("a TLS file changed and cannot be used; what was there before is", "error", err)
	})
	if err != nil {
		return nil, fault.Wrap(fault.Config, err, "the executor's TLS files cannot be used")
	}
	return c, nil
}

// check gives the connection for a callback, if its address is one to dial.
func (c *callbacks) check(callback *codemodev1.Callback) (*grpc.ClientConn, error) {
	if n := len(callback.GetCapability()); n == 0 || n > maxCapability || apikey.Check(callback.GetCapability()) != nil {
		return nil, errors.New("callback.capability must be 1 to 512 characters of printable ASCII")
	}
	for _, address := range c.allowed {
		if config.SameAddress(address, callback.GetAddress()) {
			return c.conn(address)
		}
	}
	return nil, errors.New("callback.address is none that this executor may dial (executor.callback.addresses)")
}

func (c *callbacks) conn(address string) (*grpc.ClientConn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if conn := c.conns[address]; conn != nil {
		return conn, nil
	}
	if c.closed {
		return nil, errStopped
	}
	scheme, rest, _ := strings.Cut(address, "://")
	target, transport := address, insecure.NewCredentials()
	if scheme == "http" || scheme == "https" {
		target = "dns:///" + rest
	}
	if c.secure || scheme == "https" {
		transport = c.source.Client("")
	}
	conn, err := grpc.NewClient(target, append(reconnect.Soon(),
		grpc.WithTransportCredentials(transport), grpc.WithDisableServiceConfig(),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(c.limit), grpc.MaxCallSendMsgSize(c.limit)),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 5 * time.Minute, Timeout: 20 * time.Second}),
	)...)
	if err != nil {
		return nil, err
	}
	c.conns[address] = conn
	return conn, nil
}

func (c *callbacks) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	var errs []error
	for _, conn := range c.conns {
		errs = append(errs, conn.Close())
	}
	c.conns = map[string]*grpc.ClientConn{}
	return errors.Join(errs...)
}

// A callbackStream is the stream of an execution whose tool calls travel on another one,
// which is opened for the first call, and again when it was lost.
type callbackStream struct {
	executeStream // the client's own
	service       codemodev1.ToolServiceClient
	ctx           context.Context // of the calls
	cancel        context.CancelFunc
	log           *slog.Logger
	requests      chan *codemodev1.ExecuteRequest
	ended         chan error // of the client's own stream
	wake          chan struct{}
	readers       sync.WaitGroup

	sequence uint64 // of whoever sends
	calls    *callsStream

	mu       sync.Mutex
	failures []*codemodev1.ExecuteRequest // not received yet
}

// A callsStream is one connection's worth of tool calls.
type callsStream struct {
	grpc.BidiStreamingClient[codemodev1.CallToolRequest, codemodev1.CallToolResponse]

	mu   sync.Mutex
	open map[uint32]bool // calls without a result; true if it has begun to come
	lost bool
}

func (c *callbacks) stream(own executeStream, callback *codemodev1.Callback) (*callbackStream, error) {
	conn, err := c.check(callback)
	if err != nil {
		return nil, err
	}
	header := metadata.Pairs(capabilityHeader, callback.GetCapability())
	if c.key.IsSet() {
		header.Set(apikey.Header, "Bearer "+c.key.Reveal())
	}
	s := &callbackStream{
		executeStream: own, service: codemodev1.NewToolServiceClient(conn), log: c.log,
		requests: make(chan *codemodev1.ExecuteRequest), ended: make(chan error, 1), wake: make(chan struct{}, 1),
	}
	s.ctx, s.cancel = context.WithCancel(metadata.NewOutgoingContext(own.Context(), header))
	// Ends when the handler has returned, as gRPC then ends the stream.
	go func() {
		for {
			m, err := own.Recv()
			if err != nil {
				s.ended <- err
				return
			}
			if !s.pass(m) {
				return
			}
		}
	}()
	return s, nil
}

// close ends the calls, and waits until nothing of them is left.
func (s *callbackStream) close() {
	s.cancel()
	s.readers.Wait()
}

func (s *callbackStream) pass(m *codemodev1.ExecuteRequest) bool {
	select {
	case s.requests <- m:
		return true
	case <-s.ctx.Done():
		return false
	}
}

// Send sends what belongs to a call to the application's tool service, and everything
// else to the client. It is not called by two goroutines at once.
func (s *callbackStream) Send(m *codemodev1.ExecuteResponse) error {
	id, begins := callOf(m)
	switch {
	case id == 0:
		s.sequence++
		m.Sequence = s.sequence
		return s.executeStream.Send(m)
	case begins:
		if err := s.open(id); err != nil {
			s.log.Warn("an application's tool service cannot be reached", "error", err)
			s.fail(id, "the application's tool service cannot be reached; the tool did not run")
			return nil
		}
	case s.calls == nil || !s.calls.holds(id):
		return nil // the call has its result, or was lost with its stream
	}
	s.sequence++
	m.Sequence = s.sequence
	// An error means that the stream is lost, which whoever receives from it sees.
	_ = s.calls.Send(&codemodev1.CallToolRequest{Message: m})
	return nil
}

// callOf gives the call that a message belongs to, or 0, and whether it begins the call.
func callOf(m *codemodev1.ExecuteResponse) (id uint32, begins bool) {
	switch m := m.GetMessage().(type) {
	case *codemodev1.ExecuteResponse_ToolCall:
		return m.ToolCall.GetId(), true
	case *codemodev1.ExecuteResponse_Part:
		return m.Part.GetId(), false
	case *codemodev1.ExecuteResponse_Credit:
		return m.Credit.GetId(), false
	case *codemodev1.ExecuteResponse_Stop:
		return m.Stop.GetId(), false
	}
	return 0, false
}

// open sees to it that there is a stream for a call.
func (s *callbackStream) open(id uint32) error {
	if s.calls != nil && s.calls.add(id) {
		return nil
	}
	// The stream lives on when the wait for it is over.
	ctx, cancel := context.WithCancel(s.ctx)
	patience := time.AfterFunc(openPatience, cancel)
	stream, err := s.service.CallTool(ctx)
	if !patience.Stop() || err != nil {
		cancel()
		if err == nil {
			err = context.DeadlineExceeded
		}
		return err
	}
	calls := &callsStream{BidiStreamingClient: stream, open: map[uint32]bool{id: false}}
	s.calls = calls
	s.readers.Go(func() {
		defer cancel()
		s.receive(calls)
	})
	return nil
}

func (c *callsStream) add(id uint32) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.lost {
		c.open[id] = false
	}
	return !c.lost
}

func (c *callsStream) holds(id uint32) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, open := c.open[id]
	return open && !c.lost
}

// receive takes what the application says about its calls, until it says no more.
func (s *callbackStream) receive(calls *callsStream) {
	var err error
	answered := false
	for err == nil {
		var response *codemodev1.CallToolResponse
		if response, err = calls.Recv(); err != nil {
			break
		}
		answered = true
		m := response.GetMessage()
		if !calls.settle(m) {
			err = errors.New("it sent what is no result of a call")
			break
		}
		if !s.pass(m) {
			return
		}
	}
	calls.mu.Lock()
	calls.lost = true
	calls.mu.Unlock()
	if s.ctx.Err() != nil {
		return
	}
	message := lostWords(err, answered)
	s.log.Warn(message, "error", err)
	for id := range calls.open {
		s.fail(id, message)
	}
}

// lostWords says why a stream of calls ended. A service that refuses one does so before it
// takes a call.
func lostWords(err error, answered bool) string {
	if !answered {
		switch status.Code(err) {
		case codes.Unauthenticated:
			return "the application's tool service does not accept the executor's key (executor.callback.api_key); the tool did not run"
		case codes.PermissionDenied:
			return "the application's tool service does not know this execution (another process answers at its address); the tool did not run"
		}
	}
	return "the application's tool service was lost; the tool may have run"
}

// settle notes which calls have their results; false for what is none of a call's.
func (c *callsStream) settle(m *codemodev1.ExecuteRequest) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch m := m.GetMessage().(type) {
	case *codemodev1.ExecuteRequest_ToolResult:
		id := m.ToolResult.GetId()
		_, rows := m.ToolResult.GetOutcome().(*codemodev1.ToolResult_Rows)
		switch _, open := c.open[id]; {
		case !open || rows:
		case m.ToolResult.GetMore():
			c.open[id] = true
		default:
			delete(c.open, id)
		}
	case *codemodev1.ExecuteRequest_Part:
		if c.open[m.Part.GetId()] && !m.Part.GetMore() {
			delete(c.open, m.Part.GetId())
		}
	default:
		return false
	}
	return true
}

// fail answers a call in the place of the application.
func (s *callbackStream) fail(id uint32, message string) {
	s.mu.Lock()
	s.failures = append(s.failures, &codemodev1.ExecuteRequest{Message: &codemodev1.ExecuteRequest_ToolResult{
		ToolResult: &codemodev1.ToolResult{Id: id, Outcome: &codemodev1.ToolResult_Failure{
			Failure: &codemodev1.ToolFailure{Kind: "unavailable", Message: message},
		}},
	}})
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *callbackStream) Recv() (*codemodev1.ExecuteRequest, error) {
	for {
		s.mu.Lock()
		if len(s.failures) > 0 {
			m := s.failures[0]
			s.failures = s.failures[1:]
			s.mu.Unlock()
			return m, nil
		}
		s.mu.Unlock()
		select {
		case m := <-s.requests:
			return m, nil
		case err := <-s.ended:
			return nil, err
		case <-s.wake:
		}
	}
}
