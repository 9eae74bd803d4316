package sidecar

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/internal/cpython"
	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/internal/flow"
	codemodev1 "github.com/codemode-sdk/codemode/internal/gen/codemode/v1"
	"github.com/codemode-sdk/codemode/internal/tracing"
	"github.com/codemode-sdk/codemode/internal/version"
	"github.com/codemode-sdk/codemode/sidecar/sandbox"
)

// A Server is an executor: a pool of confined workers behind a gRPC service.
type Server struct {
	cfg    config.SidecarConfig
	log    *slog.Logger
	python *cpython.Install
	pool   *pool
	grpc   *grpc.Server // for callers from outside, who must show a key
	inside *grpc.Server // for the process that this server is embedded in
	health probes
	gate   gate
	telling

	inForce []string // names of the sandbox's layers

	cutting context.Context // ends when Shutdown does not wait any longer
	cut     context.CancelFunc

	admission *admission
	callbacks *callbacks
	codes     codeCache
	sessions  *sessions
	local     *bufconn.Listener // where inside serves
	dialled   sync.Once
	serving   sync.WaitGroup
	closing   sync.Once
	closed    error
}

// New finds a CPython, sets up the sandbox and starts the pool. It fails closed: an
// error with code fault.Sandbox means that the isolation which cfg requires is not to
// be had here. The caller closes the server.
func New(ctx context.Context, cfg config.SidecarConfig, log *slog.Logger) (*Server, error) {
	return newServer(ctx, cfg, false, log)
}

// NewWithoutSandbox starts a server whose programs nothing confines: they can do what
// this process's user can. It exists to measure what the sandbox costs, and refuses a
// cfg whose sandbox.require is not unsafe-none.
func NewWithoutSandbox(ctx context.Context, cfg config.SidecarConfig, log *slog.Logger) (*Server, error) {
	if cfg.Sandbox.Require != config.RequireUnsafeNone {
		return nil, fault.New(fault.Sandbox, "an executor without a sandbox has to be asked for in so many words").
			WithRemedy("set sandbox.require to %s", config.RequireUnsafeNone)
	}
	return newServer(ctx, cfg, true, log)
}

// noticeDead says after how long without a word a client is asked for a sign of life, and
// how long it has for it: one whose machine is gone sends none.
var noticeDead atomic.Pointer[keepalive.ServerParameters]

func init() {
	noticeDead.Store(&keepalive.ServerParameters{Time: 5 * time.Minute, Timeout: 20 * time.Second})
}

func newServer(ctx context.Context, cfg config.SidecarConfig, bare bool, log *slog.Logger) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	admission, err := newAdmission(cfg, log)
	if err != nil {
		return nil, err
	}
	python, err := cpython.Find(ctx, cfg.Python, cfg.CacheDir)
	if err != nil {
		return nil, err
	}
	pool, err := newPool(ctx, cfg, bare, python, log)
	if err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, log: log, python: python, pool: pool, inForce: sandbox.InForce(pool.plan.Layers), admission: admission, sessions: newSessions(cfg.Sessions, pool), local: bufconn.Listen(localBuffer)}
	s.cutting, s.cut = context.WithCancel(context.Background())
	s.health = newProbes(s)
	s.audit.Store(&cfg.Audit)
	admission.turnedAway = s.refuse
	s.gate.init(cfg.Pool)
	// Room for the largest value that the limits let through, and for what surrounds it.
	message := int(max(cfg.Limits.ResultSize, cfg.Limits.ToolValueSize, int64(4*cfg.Limits.MaxCodeLength))) + 1<<20
	// Stop has to outlast the handlers: they use the pool.
	common := []grpc.ServerOption{
		grpc.WaitForHandlers(true),
		grpc.KeepaliveParams(*noticeDead.Load()),
		// Pings of clients, which come every five minutes, are well within it.
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Minute, PermitWithoutStream: true}),
		grpc.InitialWindowSize(flow.StreamWindow), grpc.InitialConnWindowSize(flow.ConnectionWindow),
		grpc.MaxRecvMsgSize(message), grpc.MaxConcurrentStreams(uint32(cfg.Pool.MaxWorkers + cfg.Pool.Queue + 16))}
	if s.callbacks, err = newCallbacks(cfg, message, log); err != nil {
		return nil, errors.Join(err, pool.close())
	}
	// Clients ask the name server again when a connection ends, and not before.
	aging := *noticeDead.Load()
	aging.MaxConnectionAge = cfg.MaxConnectionAge
	s.grpc = grpc.NewServer(append(append(common, grpc.KeepaliveParams(aging)), s.admission.options()...)...)
	s.inside = grpc.NewServer(common...)
	for _, server := range []*grpc.Server{s.grpc, s.inside} {
		codemodev1.RegisterExecutorServiceServer(server, service{s: s})
		healthv1.RegisterHealthServer(server, s.health)
	}
	reflection.Register(s.grpc)
	return s, nil
}

// Layers is the sandbox as it stands.
func (s *Server) Layers() []sandbox.Layer { return s.pool.plan.Layers }

// Python is the version of the interpreter that programs run on.
func (s *Server) Python() string { return s.python.Version }

// Serve answers callers on a listener until Close or Shutdown.
func (s *Server) Serve(listener net.Listener) error { return s.grpc.Serve(listener) }

// ServeTLS is Serve with a TLS configuration of the caller's own, in place of the files
// that the server was configured with. TLS before 1.3 is refused.
func (s *Server) ServeTLS(listener net.Listener, config *tls.Config) error {
	if s.cfg.TLS.Enabled {
		return fault.New(fault.Invalid, "the executor serves TLS by its own configuration already").
			WithRemedy("use Serve, or leave grpc.tls.enabled false")
	}
	own := config.Clone()
	own.MinVersion = max(own.MinVersion, tls.VersionTLS13)
	own.NextProtos = []string{"h2"}
	return s.grpc.Serve(tls.NewListener(listener, own))
}

// Reload takes over what can change while programs run: APIKeys, APIKeysFile, Audit, and
// what is in the files with certificates and keys. It looks at nothing else of cfg, which
// must have passed Validate. The error says which file cannot be used; what was read from
// those before stays in use. Changes of files are noticed without it as well, at the next
// connection or call.
func (s *Server) Reload(cfg config.SidecarConfig) error {
	s.audit.Store(&cfg.Audit)
	return s.admission.reload(cfg)
}

// localBuffer is how much one end of a connection within the process may be ahead of the
// other, in bytes.
const localBuffer = 256 << 10

// Dial connects the process that the server lives in to it, in memory: there is no address
// that anyone else could reach, and so no key; and no system call on the way.
func (s *Server) Dial(ctx context.Context, _ string) (net.Conn, error) {
	s.dialled.Do(func() {
		s.serving.Go(func() {
			if err := s.inside.Serve(s.local); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
				s.log.Error("the embedded executor stopped", "error", err)
			}
		})
	})
	conn, err := s.local.DialContext(ctx)
	if err != nil && ctx.Err() == nil {
		return nil, errStopped
	}
	return conn, err
}

// Shutdown stops in order: Unready has something to say, nothing new is admitted or
// connected, and what runs comes to its end. When ctx ends first, what still runs is cut
// off with status killed, and the error, of code fault.Unavailable, says how much that was.
func (s *Server) Shutdown(ctx context.Context) error {
	s.gate.close()
	s.health.drain()
	drained := make(chan struct{})
	go func() {
		s.grpc.GracefulStop()
		s.inside.GracefulStop()
		close(drained)
	}()
	var cut error
	select {
	case <-drained:
	case <-ctx.Done():
		if running := s.Stats().Running; running > 0 {
			cut = fault.New(fault.Unavailable, "%d executions were cut off", running).
				WithRemedy("executor.server.drain_timeout is how long a stopping executor waits")
		}
		s.cut()
		select { // for the results to reach those who wait for them
		case <-drained:
		case <-time.After(cutGrace):
		}
	}
	err := s.Close()
	<-drained
	return errors.Join(cut, err)
}

// cutGrace is how long executions that are cut off have to tell their clients.
const cutGrace = time.Second

// Close ends everything that the server started, at once, and waits for it.
func (s *Server) Close() error {
	s.closing.Do(func() {
		s.health.Shutdown()
		s.gate.close()
		s.cut()
		s.grpc.Stop()
		s.inside.Stop()
		s.local.Close() // which cannot fail
		s.serving.Wait()
		s.sessions.close()
		s.closed = errors.Join(s.callbacks.close(), s.pool.close())
	})
	return s.closed
}

// service implements the gRPC service.
type service struct {
	codemodev1.UnimplementedExecutorServiceServer
	s *Server
}

func (v service) Execute(stream grpc.BidiStreamingServer[codemodev1.ExecuteRequest, codemodev1.ExecuteResponse]) error {
	s := v.s
	received := time.Now()
	ctx, span := tracing.Start(tracing.Incoming(stream.Context()), "codemode.executor", trace.SpanKindServer)
	defer span.End()
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	e := &execution{stream: stream, cutting: s.cutting, record: Record{Caller: callerOf(ctx).name, Received: received}}
	refuse := func(reason string, err error) error {
		span.Fail(reason)
		s.refuse(&e.record, reason)
		stream.SetTrailer(metadata.Pairs(version.NotStarted, "1"))
		return err
	}
	start := first.GetStart()
	if start == nil {
		return refuse(RefusedInvalid, status.Error(codes.InvalidArgument, "the first message of a stream must be start"))
	}
	e.record.Code = start.GetCode()
	if e.limits, err = s.check(start); err != nil {
		return refuse(RefusedInvalid, err)
	}
	e.id = start.GetExecutionId()
	e.record.ExecutionID = e.id
	span.Text("codemode.execution_id", e.id)
	if callback := start.GetCallback(); callback != nil {
		calls, err := s.callbacks.stream(stream, callback)
		if err != nil {
			return refuse(RefusedInvalid, status.Error(codes.InvalidArgument, err.Error()))
		}
		defer calls.close()
		e.stream = calls
	}
	_, queue := tracing.Start(ctx, "codemode.queue", trace.SpanKindInternal)
	admit := s.admit
	if start.GetSession() != nil {
		e.record.Session = start.GetSession().GetId()
		admit = func(ctx context.Context, e *execution) (func(), string, error) {
			return s.admitToSession(ctx, e, start)
		}
	}
	leave, refused, err := admit(stream.Context(), e)
	queue.End()
	if err != nil {
		return refuse(refused, err)
	}
	defer leave()
	e.record.Queued = time.Since(received)
	e.finished = func() { s.executed(&e.record) }
	if e.session == nil {
		defer s.pool.retire(e)
	}
	_, running := tracing.Start(ctx, "codemode.run", trace.SpanKindInternal)
	defer running.End()
	if md := running.Metadata(); md != nil {
		// It fails where the stream has ended, which Send reports.
		_ = stream.SetHeader(md)
	}
	if err = s.execute(e, start, running); errors.Is(err, errWorkerLost) {
		stream.SetTrailer(metadata.Pairs(version.NotStarted, "1"))
	}
	return err
}

// admit waits for a place and a worker. Where it gives none, refused says why, for
// records.
func (s *Server) admit(ctx context.Context, e *execution) (leave func(), refused string, err error) {
	leave, refused, err = s.gate.enter(ctx, clientOf(ctx))
	if err != nil {
		return nil, refused, err
	}
	if e.worker, err = s.pool.acquire(ctx); err == nil {
		return leave, "", nil
	}
	leave()
	switch {
	case ctx.Err() != nil:
		return nil, RefusedGone, status.FromContextError(ctx.Err()).Err()
	case s.gate.closed():
		return nil, RefusedDraining, errDraining
	default:
		return nil, RefusedNoWorker, status.Error(codes.Unavailable, err.Error())
	}
}

// execute runs a program on its worker.
func (s *Server) execute(e *execution, start *codemodev1.Start, span tracing.Span) error {
	e.record.Status, e.record.Reason = statusRejected, RefusedGone // unless the program starts
	e.worker.outlet.begin(e.id)
	e.told = s.toolCalled
	e.codes, e.memory = &s.codes, s.cfg.Limits.Memory
	started := &codemodev1.Started{
		ExecutionId: e.id, Sandbox: s.inForce, Features: s.features(), Limits: limitsMessage(e.limits),
	}
	result, err := e.run(start, started)
	for errors.Is(err, errWorkerLost) && e.session == nil {
		another, failed := s.pool.acquire(e.stream.Context())
		if failed != nil {
			break
		}
		s.pool.discard(e.worker)
		e.worker = another
		e.worker.outlet.begin(e.id)
		result, err = e.run(start, started)
	}
	if err != nil {
		e.record.Reason = RefusedNoWorker
		return err
	}
	e.conclusion(result)
	span.Text("codemode.status", e.record.Status)
	if result.GetStatus() != codemodev1.Status_STATUS_OK {
		span.Fail(e.record.Status)
	}
	return e.finish(result)
}

// Bounds on what a client may ask for.
const (
	maxTools           = 10_000
	maxParameters      = 1_000
	maxExecutionIDSize = 64
)

// check validates a request and gives the limits under which it runs.
func (s *Server) check(start *codemodev1.Start) (config.Limits, error) {
	limits := s.cfg.Limits
	invalid := func(format string, args ...any) (config.Limits, error) {
		return limits, status.Errorf(codes.InvalidArgument, format, args...)
	}
	if err := checkProtocol(start); err != nil {
		return limits, err
	}
	if !utf8.ValidString(start.GetCode()) {
		return invalid("the program is not valid UTF-8")
	}
	if n := utf8.RuneCountInString(start.GetCode()); n > limits.MaxCodeLength {
		return invalid("the program has %d characters; the limit is %d (limits.max_code_length)", n, limits.MaxCodeLength)
	}
	if start.GetExecutionId() == "" {
		start.ExecutionId = newExecutionID()
	} else if !validExecutionID(start.GetExecutionId()) {
		return invalid("execution_id must be 1 to %d of A-Z a-z 0-9 _ -", maxExecutionIDSize)
	}
	if session := start.GetSession(); session != nil {
		switch {
		case s.cfg.Sessions.Max == 0:
			return limits, status.Error(codes.FailedPrecondition, "this executor keeps no sessions (executor.sessions.max)")
		case !validExecutionID(session.GetId()):
			return invalid("session.id must be 1 to %d of A-Z a-z 0-9 _ -", maxExecutionIDSize)
		}
	}
	if n := len(start.GetTools()); n > maxTools {
		return invalid("%d tools; the limit is %d", n, maxTools)
	}
	for _, tool := range start.GetTools() {
		if n := len(tool.GetName()); n == 0 || n > maxToolName {
			return invalid("a tool's name has %d bytes; it must have 1 to %d", n, maxToolName)
		}
		if n := len(tool.GetParameters()); n > maxParameters {
			return invalid("tool %q has %d parameters; the limit is %d", tool.GetName(), n, maxParameters)
		}
	}
	return lower(limits, start.GetLimits()), nil
}

// lower takes from asked what is less than the executor's own limits.
func lower(limits config.Limits, asked *codemodev1.Limits) config.Limits {
	if asked == nil {
		return limits
	}
	if d := asked.GetTimeout().AsDuration(); asked.Timeout != nil && d > 0 {
		limits.CodeTimeout = min(limits.CodeTimeout, d)
	}
	less := func(own *int64, asked int64) {
		if asked > 0 {
			*own = min(*own, asked)
		}
	}
	less(&limits.Memory, asked.GetMemoryBytes())
	less(&limits.OutputSize, asked.GetOutputBytes())
	less(&limits.ResultSize, asked.GetResultBytes())
	less(&limits.ToolValueSize, asked.GetToolValueBytes())
	if n := int(asked.GetToolCalls()); n > 0 {
		limits.ToolCalls = min(limits.ToolCalls, n)
	}
	return limits
}

func limitsMessage(l config.Limits) *codemodev1.Limits {
	return &codemodev1.Limits{
		Timeout: durationpb.New(l.CodeTimeout), MemoryBytes: l.Memory, OutputBytes: l.OutputSize,
		ResultBytes: l.ResultSize, ToolCalls: int32(l.ToolCalls), ToolValueBytes: l.ToolValueSize,
	}
}

func (v service) Health(context.Context, *codemodev1.HealthRequest) (*codemodev1.HealthResponse, error) {
	return &codemodev1.HealthResponse{Version: version.String()}, nil
}

func (v service) Ready(context.Context, *codemodev1.ReadyRequest) (*codemodev1.ReadyResponse, error) {
	reason := v.s.gate.full()
	return &codemodev1.ReadyResponse{Ready: reason == "", Reason: reason}, nil
}

func (v service) Info(context.Context, *codemodev1.InfoRequest) (*codemodev1.InfoResponse, error) {
	s := v.s
	info := &codemodev1.InfoResponse{
		Version: version.String(), Protocol: version.Protocol, PythonVersion: s.python.Version,
		MaxWorkers: int32(s.cfg.Pool.MaxWorkers), Limits: limitsMessage(s.cfg.Limits), Features: s.features(),
		Sessions: sessionLimits(s.cfg.Sessions),
	}
	for _, layer := range s.Layers() {
		info.Layers = append(info.Layers, &codemodev1.Layer{Name: layer.Name, InForce: layer.InForce, Detail: layer.Detail})
	}
	return info, nil
}

// checkProtocol refuses a client that shares no version of the wire with this executor.
func checkProtocol(start *codemodev1.Start) error {
	newest := max(start.GetProtocol(), 1)
	oldest := max(start.GetOldestProtocol(), 1)
	if newest >= version.OldestProtocol && oldest <= version.Protocol {
		return nil
	}
	remedy := "update the executor"
	if newest < version.OldestProtocol {
		remedy = "update the application's codemode module"
	}
	return status.Errorf(codes.FailedPrecondition,
		"the client (codemode %.64s) speaks wire versions %d to %d, and this executor (codemode %s) %d to %d: %s",
		cmp.Or(strings.ToValidUTF8(start.GetVersion(), "?"), "of an unknown version"), oldest, newest,
		version.String(), version.OldestProtocol, version.Protocol, remedy)
}

var errStopped = errors.New("the embedded executor is closed")
