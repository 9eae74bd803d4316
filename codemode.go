package codemode

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/executorclient"
	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/registry"
	"github.com/codemode-sdk/codemode/sidecar"
)

// Options say what New makes. They are copied; the zero value is a Codemode without
// tools on the embedded executor.
type Options struct {
	// Registry holds the tools. If nil, a new one, to be filled through
	// Codemode.Registry before the first use. Its sources are started by New, which gives
	// them StartTimeout, and closed by Codemode.Close.
	Registry *registry.Registry
	// Config says where the executor is and what programs may use. If nil, the defaults:
	// the executor inside this process, and the limits of docs/configuration.md.
	Config *config.Config
	// TLS encrypts the connection to an executor elsewhere, in place of the files that
	// Config names; TLS before 1.3 is never spoken. If nil, Config says.
	TLS *tls.Config
	// AutoDiscover registers the tools that the imported packages of this program provide,
	// as framework.auto_discover of the configuration does; see registry.Provide.
	AutoDiscover bool
	// Callback has the executor make its tool calls by dialling this process; see package
	// executorclient/toolservice. If nil, New serves them where executor.callback.listen of
	// Config says; without that, they travel on the stream on which the program was sent.
	Callback *executorclient.Callback
	// ToolName is what the model knows the function tool as. If empty, DefaultToolName.
	ToolName string
	// SearchTool names a second function tool, with which the model searches the registered
	// tools outside of a program as tools.search does inside, such as search_tools. It is
	// worth its place where there are hundreds. If empty, there is none.
	SearchTool string
	// OnEvent is told what happens during runs while it happens: output, and calls as
	// they start and end, rows as they go, and what tools report of their progress; also
	// those of direct tools, each of which is a run of its own. Events of one run come one
	// at a time, in order; those of several runs at once. Nothing in a run waits for it but
	// the return of Execute. If nil, nobody is told; see also WithOnEvent.
	OnEvent func(Event)
	// Middleware wraps every tool call, with the context that Execute was given; see
	// registry.RunOptions.
	Middleware []func(next registry.Handler) registry.Handler
	// Approve decides about each call of a tool whose policy requires an approval. If
	// nil, those calls are denied. Other calls of the program go on meanwhile.
	Approve func(context.Context, registry.ApprovalRequest) (registry.Decision, error)
	// ApprovalTimeout bounds one wait for Approve. If zero,
	// registry.DefaultApprovalTimeout.
	ApprovalTimeout time.Duration
	// Logger gets what the embedded executor has to say, and warnings about the connection
	// to one elsewhere, about the configuration's MCP servers and OpenAPI documents, and about
	// environment variables that are nearly one of codemode's. If nil, nothing is written.
	Logger *slog.Logger
}

// StartTimeout bounds how long New waits for the registry's sources together. Call
// Registry.Start before New to give them more or less.
const StartTimeout = time.Minute

// Codemode runs programs that call the registered tools. It is safe for use by many
// goroutines.
type Codemode struct {
	registry *registry.Registry
	client   *executorclient.Client
	config   config.ClientConfig
	toolName string
	// searchName is Options.SearchTool.
	searchName string
	onEvent    func(Event)
	calls      registry.RunOptions
	configured []registry.Source // by the configuration, and attached to registry
	embedded   *sidecar.Server   // nil if the executor is elsewhere
	serving    *toolServer       // of the configuration's callback mode; nil without

	closing sync.Once
	closed  error
}

// New makes a Codemode. With the embedded executor it starts it, and fails with
// CodeSandbox where the required isolation is not to be had, and with CodePython where
// there is no CPython: import sidecar/embeddedpython to link one in. The caller closes
// what it returns.
func New(options Options) (*Codemode, error) {
	return newCodemode(context.Background(), options)
}

func newCodemode(ctx context.Context, o Options) (*Codemode, error) {
	if o.Config == nil {
		o.Config = config.Default()
	} else if o.Logger != nil {
		for _, line := range config.MisspelledVariables(os.Environ()) {
			o.Logger.Warn(line)
		}
	}
	o.AutoDiscover = o.AutoDiscover || o.Config.Framework.AutoDiscover
	client, err := o.Config.Client().Complete()
	if err != nil {
		return nil, err
	}
	return connect(ctx, o, client, o.Config.Sidecar())
}

func connect(ctx context.Context, o Options, client config.ClientConfig, executor config.SidecarConfig) (_ *Codemode, err error) {
	c := &Codemode{registry: o.Registry, config: client, toolName: o.ToolName, searchName: o.SearchTool, onEvent: o.OnEvent}
	c.calls = registry.RunOptions{Middleware: slices.Clone(o.Middleware), Approve: o.Approve, ApprovalTimeout: o.ApprovalTimeout}
	if c.registry == nil {
		c.registry = registry.New()
	}
	if o.AutoDiscover {
		if err := c.registry.Discover(); err != nil {
			return nil, err
		}
	}
	if err := c.registry.Err(); err != nil {
		return nil, err
	}
	if c.toolName == "" {
		c.toolName = DefaultToolName
	}
	if err := errors.Join(checkToolName(c.toolName), checkSearchTool(c.searchName, c.toolName)); err != nil {
		return nil, err
	}
	if err := c.startRegistry(ctx, o.Config, o.Logger); err != nil {
		return nil, errors.Join(err, c.detachConfigured())
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.closeRegistry())
		}
	}()
	dial := executorclient.Options{
		Address: client.ExecutorURL, APIKey: client.ExecutorAPIKey.Reveal(), APIKeyFile: client.ExecutorAPIKeyFile, Logger: o.Logger,
		Callback: o.Callback,
	}
	if client.Secure() {
		dial.TLS = &executorclient.TLS{
			Config: o.TLS, CAFile: client.TLSCAPath, ServerName: client.TLSServerName,
			CertFile: client.TLSClientCertPath, KeyFile: client.TLSClientKeyPath,
		}
	} else if o.TLS != nil {
		dial.TLS = &executorclient.TLS{Config: o.TLS}
	}
	if client.Exposed() && o.TLS == nil && o.Logger != nil {
		o.Logger.Warn("programs, results and the API key cross the network unencrypted; use an https:// address or grpc.tls.enabled",
			"executor_url", client.ExecutorURL)
	}
	if client.Embedded() {
		executor.TLS, executor.APIKeysFile = config.ServerTLS{}, "" // nobody connects to it from outside
		server, err := sidecar.New(ctx, executor, o.Logger)
		if err != nil {
			return nil, err
		}
		c.embedded = server
		dial.Dialer = server.Dial
	}
	if dial.Callback == nil {
		if c.serving, err = serveTools(ctx, client, c.registry, o.Logger); err != nil {
			return nil, errors.Join(err, c.closeEmbedded())
		}
		if c.serving != nil {
			dial.Callback = &c.serving.Callback
		}
	}
	if c.client, err = executorclient.Dial(dial); err != nil {
		return nil, errors.Join(err, c.serving.close(), c.closeEmbedded())
	}
	return c, nil
}

// FromConfig makes a Codemode from a codemode.yaml and the environment; with an empty
// path, from CODEMODE_CONFIG, else ./codemode.yaml, else the defaults. An error names
// every problem of the file with its line. Nothing is logged; for warnings give what
// config.Load gives to New, with a Logger.
func FromConfig(path string) (*Codemode, error) {
	loaded, err := config.Load(path)
	if err != nil {
		return nil, err
	}
	return New(Options{Config: loaded})
}

// FromEnv makes a Codemode from environment variables alone: CODEMODE_EXECUTOR_URL,
// CODEMODE_EXECUTOR_API_KEY and the others of docs/configuration.md. A misspelt one is passed
// over in silence; to be warned of it give what config.FromEnv gives to New, with a Logger.
func FromEnv() (*Codemode, error) {
	loaded, err := config.FromEnv()
	if err != nil {
		return nil, err
	}
	return New(Options{Config: loaded})
}

// FromClientConfig makes a Codemode for an executor that is configured elsewhere. With
// the URL "embedded", that of config.DefaultSidecar.
func FromClientConfig(client config.ClientConfig) (*Codemode, error) {
	complete, err := client.Complete()
	if err != nil {
		return nil, err
	}
	return connect(context.Background(), Options{}, complete, config.DefaultSidecar())
}

// Registry holds the tools that programs may call; tools can be added at any time.
func (c *Codemode) Registry() *registry.Registry { return c.registry }

// Layers tells what isolates programs, by asking the executor.
func (c *Codemode) Layers(ctx context.Context) ([]Layer, error) {
	info, err := c.client.Info(ctx)
	if err != nil {
		return nil, err
	}
	return info.Layers, nil
}

// Close ends the embedded executor, if there is one, and every run on it, waits for tool
// calls to return, whose contexts have ended, and then closes the registry's sources,
// unless another Codemode uses them.
func (c *Codemode) Close() error {
	c.closing.Do(func() {
		c.closed = errors.Join(c.client.Close(), c.serving.close(), c.closeEmbedded(), c.closeRegistry())
	})
	return c.closed
}

func (c *Codemode) closeEmbedded() error {
	if c.embedded == nil {
		return nil
	}
	return c.embedded.Close()
}

// Error is the error type of every function of the module; see fault.Code for what the
// codes mean.
type Error = fault.Error

// ErrorCode says who has to do something about an Error.
type ErrorCode = fault.Code

// The codes.
const (
	CodeInvalid         = fault.Invalid         // the caller passed something that cannot work
	CodeConfig          = fault.Config          // the configuration cannot be used
	CodeSandbox         = fault.Sandbox         // the required isolation is not to be had here
	CodePython          = fault.Python          // no usable CPython
	CodeUnauthenticated = fault.Unauthenticated // the executor did not accept the API key
	CodeRejected        = fault.Rejected        // the executor did not start the program
	CodeSessionLost     = fault.SessionLost     // the session has ended, and its state with it
	CodeUnavailable     = fault.Unavailable     // the executor cannot be reached, or was lost
	CodeCancelled       = fault.Cancelled       // the caller's context ended
	CodeTool            = fault.Tool            // a tool failed
	CodeInternal        = fault.Internal        // a bug in codemode
)

// CodeOf gives the code of the first Error in err's chain, CodeInternal if there is
// none, and nothing if err is nil.
func CodeOf(err error) ErrorCode { return fault.CodeOf(err) }
