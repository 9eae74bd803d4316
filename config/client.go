package config

import (
	"net"
	"strings"
	"time"

	"github.com/codemode-sdk/codemode/internal/fault"
)

// Embedded is the executor URL that means: run the executor inside this process.
const Embedded = "embedded"

// ClientConfig is what an application needs to reach an executor. A literal with only
// ExecutorURL and ExecutorAPIKey is enough; Complete fills in the rest.
type ClientConfig struct {
	// ExecutorURL is one of: embedded (the executor runs inside this process);
	// unix:///path/to/socket; http://host:port (no encryption); https://host[:port];
	// dns:///host:port (no encryption unless TLSEnabled, calls spread over all addresses of
	// the name).
	// If empty, embedded.
	ExecutorURL string
	// ExecutorAPIKey is sent with every call. If unset, none is sent.
	ExecutorAPIKey Secret
	// Timeout bounds one execution as the client sees it: waiting in the executor's queue
	// and tool time included. If zero, the default of executor.timeout, which leaves the
	// executor's own limits time to answer first.
	Timeout time.Duration
	// ExecutorAPIKeyFile is a file whose first key is sent in place of ExecutorAPIKey. It is
	// read again when it changes. If empty, there is none.
	ExecutorAPIKeyFile string
	// TLSEnabled asks for TLS whatever the scheme of ExecutorURL; https:// asks for it too.
	TLSEnabled bool
	// TLSCAPath holds the authorities that vouch for the executor, in PEM. If empty, those
	// of the machine.
	TLSCAPath string
	// TLSClientCertPath and TLSClientKeyPath are the application's own certificate and its
	// private key, in PEM. If empty, it has none.
	TLSClientCertPath, TLSClientKeyPath string
	// TLSServerName is the name that the executor's certificate must have. If empty, the
	// host of ExecutorURL; for a unix socket, localhost.
	TLSServerName string
	// CallbackListen is the host:port on which the application serves its tools, and
	// CallbackURL the address by which the executor reaches it: one that the executor's
	// SidecarConfig.Callback allows. If empty, tool calls travel on the stream on which the
	// program was sent.
	CallbackListen, CallbackURL string
	// CallbackAPIKey is what the executor has to send there. If unset, nothing besides the
	// capability of the execution.
	CallbackAPIKey Secret
}

// Embedded says whether the executor runs inside this process.
func (c ClientConfig) Embedded() bool { return c.ExecutorURL == "" || c.ExecutorURL == Embedded }

// Secure says whether calls to the executor are encrypted.
func (c ClientConfig) Secure() bool {
	return !c.Embedded() && (c.TLSEnabled || strings.HasPrefix(c.ExecutorURL, "https://"))
}

// SecureCallback says whether tools are served over TLS, with TLSClientCertPath.
func (c ClientConfig) SecureCallback() bool {
	return c.TLSEnabled || strings.HasPrefix(c.CallbackURL, "https://")
}

// Exposed says whether programs, results and the API key cross a network unencrypted: the
// executor is reached over TCP without TLS, and not on this machine; or it so reaches the
// tools.
func (c ClientConfig) Exposed() bool {
	return !c.Secure() && exposed(c.ExecutorURL) || !c.SecureCallback() && exposed(c.CallbackURL)
}

func exposed(address string) bool {
	scheme, rest, _ := strings.Cut(address, "://")
	if scheme != "http" && scheme != "dns" {
		return false
	}
	host, _, err := net.SplitHostPort(strings.TrimPrefix(rest, "/"))
	return err != nil || !loopback(host)
}

// Complete gives c with every zero field that has a default replaced by it, or an error
// that lists each field that cannot be used.
func (c ClientConfig) Complete() (ClientConfig, error) {
	whole := Default()
	if c.ExecutorURL != "" {
		whole.Executor.URL = c.ExecutorURL
	}
	if c.Timeout != 0 {
		whole.Executor.Timeout = c.Timeout
	}
	whole.Executor.APIKey = c.ExecutorAPIKey
	whole.GRPC.TLS.Enabled = c.TLSEnabled
	whole.GRPC.TLS.CAFile = c.TLSCAPath
	whole.GRPC.TLS.ClientCertFile = c.TLSClientCertPath
	whole.GRPC.TLS.ClientKeyFile = c.TLSClientKeyPath
	whole.GRPC.TLS.ServerName = c.TLSServerName
	whole.GRPC.TLS.Mode = tlsMode(whole.GRPC.TLS)
	whole.Executor.APIKeyFile = c.ExecutorAPIKeyFile
	whole.Executor.Callback = Callback{Listen: c.CallbackListen, URL: c.CallbackURL, APIKey: c.CallbackAPIKey}
	if err := check(whole, readByClient); err != nil {
		return ClientConfig{}, err
	}
	done := whole.Client()
	url, err := readAddress(done.ExecutorURL) // the one spelling that a file's address gets too
	if err != nil {
		return ClientConfig{}, fault.Wrap(fault.Config, err, "the executor's address")
	}
	done.ExecutorURL = url
	return done, nil
}

// check runs every value that the reader has through the same rules as a file's text.
func check(c *Config, reader readers) error {
	var found problems
	scratch := new(Config)
	for _, k := range keys {
		if k.readers&reader == 0 {
			continue
		}
		if err := k.recheck(scratch, c); err != nil {
			found.add(&Problem{Key: k.path, Message: err.Error()})
		}
	}
	for _, p := range contradictions(c) {
		found.add(p)
	}
	return found.err("the configuration")
}
