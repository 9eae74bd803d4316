// Package executorclient talks to an executor over gRPC: one bidirectional stream per
// execution, on which output, tool calls and their results travel.
//
// Most applications use the façade in the root package, which sets this up. Use it
// directly to share one connection between several sets of tools.
package executorclient

import (
	"cmp"
	"context"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"

	"github.com/codemode-sdk/codemode/internal/apikey"
	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/internal/flow"
	codemodev1 "github.com/codemode-sdk/codemode/internal/gen/codemode/v1"
	"github.com/codemode-sdk/codemode/internal/reconnect"
	"github.com/codemode-sdk/codemode/internal/reload"
)

// Options say how to reach an executor. They are copied by Dial.
type Options struct {
	// Address is unix:///path, http://host:port, https://host[:port] or dns:///host:port,
	// which spreads runs over all addresses of the name. It is ignored if Dialer is set.
	Address string
	// APIKey is sent with every call. If empty, none is.
	APIKey string
	// APIKeyFile is a file whose first key is sent in place of APIKey: one key in a line.
	// It is read again when it changes. If empty, there is none.
	APIKeyFile string
	// TLS says how to encrypt. If nil, an https:// address is, with the authorities of the
	// machine, and others are not. It is ignored if Dialer is set.
	TLS *TLS
	// Dialer makes connections. If nil, Address is dialled.
	Dialer func(ctx context.Context, address string) (net.Conn, error)
	// Callback has the executor make its tool calls by dialling this process. If nil, they
	// travel on the stream of the execution.
	Callback *Callback
	// Logger is told of files that changed and cannot be used. If nil, nobody is.
	Logger *slog.Logger
	// MaxValueBytes bounds what a run makes this process hold of values that it has not
	// received completely, and so every value: a call's arguments, the result. If zero,
	// 256 MiB, above which an executor lets nothing through.
	MaxValueBytes int64
}

const defaultMaxValue = 256 << 20

// noticeDead says after how long without a word an executor is asked for a sign of life
// while something runs, and how long it has for it: one whose machine is gone sends none.
var noticeDead atomic.Pointer[keepalive.ClientParameters]

func init() {
	noticeDead.Store(&keepalive.ClientParameters{Time: 5 * time.Minute, Timeout: 20 * time.Second})
}

// A Client is a connection to an executor, safe for use by many goroutines. It connects
// when it is first needed, and again when the connection was lost.
type Client struct {
	conn    *grpc.ClientConn
	service codemodev1.ExecutorServiceClient
	key     string
	keys    *reload.Value[[]string] // in place of key, if not nil
	log     *slog.Logger

	valueLimit int64     // bytes
	callback   *Callback // nil in stream mode
	several    bool      // the address may have several executors behind it
	asked      asked

	mu     sync.Mutex
	closed bool
	calls  sync.WaitGroup // tool calls that have not returned, also of runs that are over
}

// Dial makes a client. It does not connect yet; an error has code fault.Invalid.
func Dial(o Options) (*Client, error) {
	target, secure, err := target(o)
	if err != nil {
		return nil, err
	}
	c := &Client{key: o.APIKey, several: strings.HasPrefix(o.Address, "dns:"), log: o.Logger}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if o.APIKeyFile != "" {
		c.keys, err = apikey.File(o.APIKeyFile, func(err error) { c.log.Warn("the API key stays as it was", "error", err) })
		if err != nil {
			return nil, fault.Wrap(fault.Config, err, "the executor's API key cannot be read").WithRemedy("set executor.api_key_file to a file with a key in it")
		}
	}
	if o.Callback != nil {
		if o.Callback.Service == nil || o.Callback.Address == "" {
			return nil, fault.New(fault.Invalid, "a callback needs a service and the address at which executors find it")
		}
		callback := *o.Callback
		c.callback = &callback
	}
	transport, err := c.transport(o, secure)
	if err != nil {
		return nil, err
	}
	c.valueLimit = cmp.Or(o.MaxValueBytes, defaultMaxValue)
	// An executor of an older version sends a value in one message.
	message := int(c.valueLimit) + 1<<20
	dial := []grpc.DialOption{
		grpc.WithTransportCredentials(transport),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(message), grpc.MaxCallSendMsgSize(message)),
		grpc.WithKeepaliveParams(*noticeDead.Load()),
		grpc.WithInitialWindowSize(flow.StreamWindow), grpc.WithInitialConnWindowSize(flow.ConnectionWindow),
		grpc.WithDisableServiceConfig(),
		grpc.WithDefaultServiceConfig(`{"loadBalancingConfig":[{"round_robin":{}}]}`),
	}
	dial = append(dial, reconnect.Soon()...)
	if o.Dialer != nil {
		dial = append(dial, grpc.WithContextDialer(o.Dialer))
	}
	conn, err := grpc.NewClient(target, dial...)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the executor address %q cannot be used", o.Address)
	}
	c.conn, c.service = conn, codemodev1.NewExecutorServiceClient(conn)
	return c, nil
}

// target gives the address as gRPC spells it, and whether to encrypt.
func target(o Options) (address string, secure bool, err error) {
	if o.Dialer != nil {
		return "passthrough:///embedded", false, nil
	}
	switch scheme, rest, found := strings.Cut(o.Address, "://"); {
	case !found:
		err = fault.New(fault.Invalid, "the executor address %q has no scheme", o.Address).WithRemedy(addressForms)
	case scheme == "http" || scheme == "https": // without a port, gRPC takes 443
		return "dns:///" + strings.TrimSuffix(rest, "/"), scheme == "https", nil
	case scheme == "unix" || scheme == "dns":
		return o.Address, false, nil
	default:
		err = fault.New(fault.Invalid, "the executor address %q has an unknown scheme", o.Address).WithRemedy(addressForms)
	}
	return "", false, err
}

const addressForms = "use unix:///path, http://host:port, https://host[:port] or dns:///host:port"

// Info describes an executor.
type Info struct {
	Version, PythonVersion string
	Layers                 []Layer
	MaxWorkers             int
	// Sessions is nil if the executor keeps none.
	Sessions *SessionLimits
}

// Layer is one part of an executor's sandbox.
type Layer struct {
	Name    string `json:"name"`
	InForce bool   `json:"in_force"`
	Detail  string `json:"detail,omitempty"`
}

// Info asks the executor what it is.
func (c *Client) Info(ctx context.Context) (*Info, error) {
	got, err := c.service.Info(c.outgoing(ctx), &codemodev1.InfoRequest{})
	if err != nil {
		return nil, fromStatus(err, false)
	}
	info := &Info{Version: got.GetVersion(), PythonVersion: got.GetPythonVersion(), MaxWorkers: int(got.GetMaxWorkers())}
	for _, layer := range got.GetLayers() {
		info.Layers = append(info.Layers, Layer{layer.GetName(), layer.GetInForce(), layer.GetDetail()})
	}
	if s := got.GetSessions(); s != nil {
		info.Sessions = &SessionLimits{Max: int(s.GetMax()), IdleTimeout: s.GetIdleTimeout().AsDuration(), Lifetime: s.GetLifetime().AsDuration()}
	}
	return info, nil
}

// outgoing is ctx with the API key, and without what the application sends to servers of
// its own.
func (c *Client) outgoing(ctx context.Context) context.Context {
	ctx = metadata.NewOutgoingContext(ctx, nil)
	key := c.key
	if c.keys != nil {
		key = c.keys.Get()[0]
	}
	if key == "" {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, apikey.Header, "Bearer "+key)
}

// Close closes the connection, which cancels what runs on it, and waits until every
// tool call has returned; their contexts have ended.
func (c *Client) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	err := c.conn.Close()
	c.calls.Wait()
	return err
}

// begin counts a tool call, unless the client is closed.
func (c *Client) begin() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	c.calls.Add(1)
	return true
}
