package mcp

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/modelcontextprotocol/go-sdk/auth"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/internal/fault"
)

// What the zero values of HTTPOptions' fields stand for.
const (
	// DefaultSessionTimeout is how long a session may be idle.
	DefaultSessionTimeout = 30 * time.Minute
	// DefaultMaxSessions bounds the sessions at one time.
	DefaultMaxSessions = 100
	// DefaultMaxRequestBytes bounds the body of one request.
	DefaultMaxRequestBytes = 4 << 20
)

// HTTPOptions say whom Handler answers. They are copied; nil and the zero value are the
// defaults.
type HTTPOptions struct {
	// Keys are the bearer tokens that admit a client; several, so that they can be
	// rotated. A session belongs to the key that opened it. If empty, everybody who
	// reaches the handler is admitted.
	Keys []config.Secret
	// Origins are the web pages, such as https://app.example.com, whose scripts may use
	// the server. If empty, only those of the server's own host.
	Origins []string
	// SessionTimeout ends sessions that are idle for longer. If zero,
	// DefaultSessionTimeout.
	SessionTimeout time.Duration
	// MaxSessions bounds the sessions at one time; further clients get status 400. If
	// zero, DefaultMaxSessions.
	MaxSessions int
	// MaxRequestBytes bounds the body of one request. If zero, DefaultMaxRequestBytes.
	MaxRequestBytes int64
}

// Handler serves streamable HTTP. Requests to a loopback address under another name, and
// those of scripts from elsewhere, get status 403, so that a web page cannot reach a
// server on its visitor's machine.
func (s *Server) Handler(options *HTTPOptions) (http.Handler, error) {
	var o HTTPOptions
	if options != nil {
		o = *options
	}
	if o.SessionTimeout == 0 {
		o.SessionTimeout = DefaultSessionTimeout
	}
	if o.MaxSessions == 0 {
		o.MaxSessions = DefaultMaxSessions
	}
	if o.MaxRequestBytes == 0 {
		o.MaxRequestBytes = DefaultMaxRequestBytes
	}
	if o.SessionTimeout < 0 || o.MaxSessions < 0 || o.MaxRequestBytes < 0 {
		return nil, fault.New(fault.Invalid, "a limit on HTTP is negative").WithRemedy("use 0 for the default")
	}
	var handler http.Handler = sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server {
		if s.sessionCount() >= o.MaxSessions {
			s.log.Warn("a client is refused: there are too many sessions", "sessions", o.MaxSessions)
			return nil
		}
		return s.Server
	}, &sdk.StreamableHTTPOptions{
		Logger: s.log, SessionTimeout: o.SessionTimeout, MaxRequestBodyBytes: o.MaxRequestBytes,
		PropagateRequestCancellation: true,
	})
	if len(o.Keys) > 0 {
		handler = requireKey(o.Keys, handler)
	}
	return sameOrigin(o.Origins, handler)
}

func (s *Server) sessionCount() int {
	count := 0
	for range s.Sessions() {
		count++
	}
	return count
}

// requireKey admits whoever has one of the keys.
func requireKey(keys []config.Secret, next http.Handler) http.Handler {
	var digests [][sha256.Size]byte
	for _, key := range keys {
		digests = append(digests, sha256.Sum256([]byte(key.Reveal())))
	}
	verify := func(_ context.Context, token string, _ *http.Request) (*auth.TokenInfo, error) {
		given, found := sha256.Sum256([]byte(token)), -1
		for i := range digests {
			if subtle.ConstantTimeCompare(given[:], digests[i][:]) == 1 {
				found = i
			}
		}
		if found < 0 {
			return nil, auth.ErrInvalidToken
		}
		// The SDK lets nobody else use the session.
		return &auth.TokenInfo{UserID: hex.EncodeToString(digests[found][:8])}, nil
	}
	return auth.RequireBearerToken(verify, &auth.RequireBearerTokenOptions{AllowMissingExpiration: true})(next)
}

// sameOrigin refuses what scripts of other sites send, whatever the method.
func sameOrigin(origins []string, next http.Handler) (http.Handler, error) {
	crossOrigin := http.NewCrossOriginProtection()
	for _, origin := range origins {
		if err := crossOrigin.AddTrustedOrigin(origin); err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "the origin %q cannot be trusted", origin).
				WithRemedy("use scheme://host or scheme://host:port")
		}
	}
	checked := crossOrigin.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The protection lets through methods that change nothing; here a GET reads what
		// runs print.
		if origin := r.Header.Get("Origin"); origin != "" && !slices.Contains(origins, origin) {
			if u, err := url.Parse(origin); err != nil || u.Host != r.Host {
				http.Error(w, "the origin of the request is not one that may use this server", http.StatusForbidden)
				return
			}
		}
		checked.ServeHTTP(w, r)
	}), nil
}
