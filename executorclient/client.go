// Package executorclient talks to an executor over gRPC: one bidirectional stream per
// execution, on which output, tool calls and their results travel.
//
// Most applications use the façade in the root package, which sets this up. Use it
// directly to share one connection between several sets of tools.
package executorclient

import (
	"context"
	"crypto/tls"
	"net"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"

	"github.com/codemode-sdk/codemode/internal/fault"
	codemodev1 "github.com/codemode-sdk/codemode/internal/gen/codemode/v1"
)

// Options say how to reach an executor. They are copied by Dial.
type Options struct {
	// Address is unix:///path, http://host:port, https://host[:port] (TLS 1.3, with the
	// system's authorities) or dns:///host:port. It is ignored if Dialer is set.
	Address string
	// APIKey is sent with every call. If empty, none is.
	APIKey string
	// Dialer makes connections. If nil, Address is dialled.
	Dialer func(ctx context.Context, address string) (net.Conn, error)
	// MaxMessageBytes bounds one message in either direction. If zero, 64 MiB.
	MaxMessageBytes int
}

const defaultMaxMessage = 64 << 20

// A Client is a connection to an executor, safe for use by many goroutines. It connects
// when it is first needed, and again when the connection was lost.
type Client struct {
	conn    *grpc.ClientConn
	service codemodev1.ExecutorServiceClient
	key     string

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
	transport := insecure.NewCredentials()
	if secure {
		transport = credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS13})
	}
	limit := o.MaxMessageBytes
	if limit == 0 {
		limit = defaultMaxMessage
	}
	dial := []grpc.DialOption{
		grpc.WithTransportCredentials(transport),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(limit), grpc.MaxCallSendMsgSize(limit)),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 5 * time.Minute, Timeout: 20 * time.Second}),
		grpc.WithDisableServiceConfig(),
		grpc.WithDefaultServiceConfig(`{"loadBalancingConfig":[{"round_robin":{}}]}`),
	}
	if o.Dialer != nil {
		dial = append(dial, grpc.WithContextDialer(o.Dialer))
	}
	conn, err := grpc.NewClient(target, dial...)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the executor address %q cannot be used", o.Address)
	}
	return &Client{conn: conn, service: codemodev1.NewExecutorServiceClient(conn), key: o.APIKey}, nil
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
	return info, nil
}

func (c *Client) outgoing(ctx context.Context) context.Context {
	if c.key == "" {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+c.key)
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
