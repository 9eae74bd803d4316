package mcp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/registry"
)

// What the zero values of a Source's fields stand for.
const (
	// DefaultConnectTimeout is for starting a server, or reaching it, and learning its tools.
	DefaultConnectTimeout = 30 * time.Second
	// DefaultMaxMessageBytes bounds one message of a server.
	DefaultMaxMessageBytes = 16 << 20
)

// A Source is an MCP server whose tools programs may call; it is a registry.Source. Of
// Command, URL and Transport, exactly one is set. A Source must not be copied or changed
// once it has been attached.
type Source struct {
	// Name is the namespace of the tools: with "github", the server's get_issue is
	// tools.github.get_issue in a program. If empty, the tools have their bare names.
	Name string

	// Command is a program to start, with Args, that speaks MCP on its standard input and
	// output. It ends with the source. It inherits the variables that say where things
	// are (PATH, HOME, USER, LANG, TMPDIR and such), and none of the others, so that it
	// sees no secret of this process's but those in Env.
	Command string
	// Args are the arguments of Command.
	Args []string
	// Env are further variables for Command.
	Env map[string]string
	// Dir is where Command runs. If empty, where this process does.
	Dir string

	// URL is the endpoint of a server that speaks streamable HTTP.
	URL string
	// Header is sent with every request to the URL's host, such as Authorization.
	Header http.Header
	// HTTPClient is for OAuth, proxies and the like. If nil, http.DefaultClient. Its
	// Timeout would cut off calls: leave it 0.
	HTTPClient *http.Client

	// Transport connects in any other way. It is called for each connection, first by
	// Start and then whenever the connection was lost.
	Transport func(ctx context.Context) (sdk.Transport, error)

	// ConnectTimeout bounds connecting and listing the tools. If zero,
	// DefaultConnectTimeout.
	ConnectTimeout time.Duration
	// CallTimeout bounds one call, which then fails with registry.KindTimeout. If zero,
	// only the run's own time does.
	CallTimeout time.Duration
	// MaxMessageBytes bounds what the server may send in one message, such as the result
	// of a call, which otherwise fails with registry.KindTooLarge. If zero,
	// DefaultMaxMessageBytes. The connection to a Command ends with such a message, and so
	// do other calls that are under way on it.
	MaxMessageBytes int
	// Use picks the tools to take, by the server's names for them. If nil, all.
	Use func(tool string) bool
	// Logger gets the server's own log, its standard error and its progress (at
	// slog.LevelDebug), and as warnings what does not work: tools that had to be left
	// out, connections that were lost. If nil, nothing is written.
	Logger *slog.Logger
	// OnProgress is told what the server tells of a call that is under way, besides
	// Options.OnEvent of package codemode, which gets it as the call's ToolProgress. It must
	// not block. If nil, nobody else is told.
	OnProgress func(Progress)

	log        *slog.Logger
	connecting chan struct{}   // holds one token: who has it may connect
	life       context.Context // from Start to Close
	end        context.CancelFunc

	mu       sync.Mutex
	registry *registry.Registry // nil if not started
	current  *session           // nil if not connected
	calls    map[string]call    // by progress token
	lastCall uint64
	running  sync.WaitGroup // the sessions' goroutines
}

// A Progress is what a server tells of a call.
type Progress struct {
	// Tool is the tool's name in the registry.
	Tool string
	// Progress grows from notification to notification; Total is 0 if unknown. The unit
	// is the server's.
	Progress, Total float64
	// Message may be empty.
	Message string
}

// String names the source in errors.
func (s *Source) String() string {
	switch {
	case s.Name != "":
		return "MCP server " + s.Name
	case s.Command != "":
		return "MCP server " + s.Command
	case s.URL != "":
		return "MCP server " + s.host()
	}
	return "MCP server"
}

// host leaves out what a URL may hold of secrets.
func (s *Source) host() string {
	u, err := url.Parse(s.URL)
	if err != nil {
		return "with an unreadable URL"
	}
	return u.Host
}

func (s *Source) check() error {
	ways := 0
	for _, set := range []bool{s.Command != "", s.URL != "", s.Transport != nil} {
		if set {
			ways++
		}
	}
	if ways != 1 {
		return fault.New(fault.Invalid, "%d ways to reach it are given", ways).
			WithRemedy("set one of Command, URL and Transport")
	}
	if s.URL != "" {
		if u, err := url.Parse(s.URL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return fault.New(fault.Invalid, "its URL is not one").WithRemedy("use http://HOST/PATH or https://HOST/PATH")
		}
	}
	if s.ConnectTimeout < 0 || s.CallTimeout < 0 || s.MaxMessageBytes < 0 {
		return fault.New(fault.Invalid, "a limit is negative").WithRemedy("use 0 for the default")
	}
	return nil
}

// Start connects and gives the registry the server's tools. It fails with
// fault.Unavailable where the server cannot be started, reached or understood, and with
// fault.Invalid where the fields make no sense or a tool's name is taken by another
// origin. A tool whose own definition cannot be used is left out, with a warning to
// Logger; Start fails if none can be.
func (s *Source) Start(ctx context.Context, reg *registry.Registry) error {
	if err := s.check(); err != nil {
		return err
	}
	s.mu.Lock()
	if s.registry != nil {
		s.mu.Unlock()
		return fault.New(fault.Invalid, "it is started already").WithRemedy("use a Source for each registry")
	}
	s.registry = reg
	s.log = s.Logger
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.log = s.log.With("mcp_server", s.Name)
	s.connecting = make(chan struct{}, 1)
	s.life, s.end = context.WithCancel(context.WithoutCancel(ctx))
	s.calls = map[string]call{}
	s.mu.Unlock()
	if _, err := s.session(ctx); err != nil {
		return errors.Join(err, s.Close())
	}
	return nil
}

// Ready says whether the server is connected. One that is not is connected again by the
// next call.
func (s *Source) Ready() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == nil || s.current.lost() {
		return fault.New(fault.Unavailable, "%s is not connected", s)
	}
	return nil
}

// Close disconnects, ends the process of a Command, and waits for both. Calls that are
// under way fail.
func (s *Source) Close() error {
	s.mu.Lock()
	started, current := s.registry != nil, s.current
	s.registry, s.current = nil, nil
	s.mu.Unlock()
	if !started {
		return nil
	}
	s.end()
	s.connecting <- struct{}{} // whoever was connecting has given up
	<-s.connecting
	if current != nil {
		current.close()
	}
	s.running.Wait()
	return nil
}

// transport makes the way to the server for one connection; said is what the server had
// to say about it, and nil if it says nothing.
func (s *Source) transport(ctx context.Context) (transport sdk.Transport, said fmt.Stringer, err error) {
	maximum := s.maximum()
	switch {
	case s.Command != "":
		p := s.command(maximum)
		return &exactTransport{Transport: p, maximum: maximum}, p.said, nil
	case s.URL != "":
		return s.http(maximum), nil, nil
	}
	transport, err = s.Transport(ctx)
	if err != nil {
		return nil, nil, err
	}
	if transport == nil {
		return nil, nil, errors.New("its Transport function gave nil")
	}
	if _, isHTTP := transport.(*sdk.StreamableClientTransport); isHTTP {
		return transport, nil, nil
	}
	return &exactTransport{Transport: transport, maximum: maximum}, nil, nil
}

func (s *Source) maximum() int {
	if s.MaxMessageBytes == 0 {
		return DefaultMaxMessageBytes
	}
	return s.MaxMessageBytes
}

func (s *Source) http(maximum int) sdk.Transport {
	client := http.Client{}
	if s.HTTPClient != nil {
		client = *s.HTTPClient
	}
	next := client.Transport
	if next == nil {
		next = http.DefaultTransport
	}
	origin := ""
	if u, err := url.Parse(s.URL); err == nil {
		origin = u.Scheme + "://" + u.Host
	}
	client.Transport = &exactRoundTripper{next: next, origin: origin, header: s.Header.Clone(), maximum: maximum}
	return &sdk.StreamableClientTransport{
		Endpoint: s.URL, HTTPClient: &client,
		// A call whose stream broke is taken up again where the server allows it, but a
		// program does not wait for a server that is gone.
		MaxRetries: 2, MaxEventSize: maximum,
	}
}
