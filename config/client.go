package config

import (
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
	// dns:///host:port (no encryption, calls spread over all addresses of the name).
	// If empty, embedded.
	ExecutorURL string
	// ExecutorAPIKey is sent with every call. If unset, none is sent.
	ExecutorAPIKey Secret
	// Timeout bounds one execution as the client sees it: waiting in the executor's queue
	// and tool time included. If zero, the default of executor.timeout, which leaves the
	// executor's own limits time to answer first.
	Timeout time.Duration
	// TLSEnabled asks for TLS with the files below. This version refuses it; an https://
	// URL uses the system's authorities.
	TLSEnabled bool
	// PEM files, used if TLSEnabled; empty if not set.
	TLSCAPath, TLSClientCertPath, TLSClientKeyPath string
}

// Embedded says whether the executor runs inside this process.
func (c ClientConfig) Embedded() bool { return c.ExecutorURL == "" || c.ExecutorURL == Embedded }

// Secure says whether calls to the executor are encrypted.
func (c ClientConfig) Secure() bool {
	return c.TLSEnabled || strings.HasPrefix(c.ExecutorURL, "https://")
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
