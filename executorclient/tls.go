package executorclient

import (
	"crypto/tls"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/internal/tlsfiles"
)

// TLS says how a connection is encrypted: by files that may change while the process
// runs, or by a configuration of the caller's own. TLS before 1.3 is never spoken.
type TLS struct {
	// Config is used in place of all that follows. If nil, the files are.
	Config *tls.Config
	// CAFile holds the authorities that vouch for the executor, in PEM. If empty, those of
	// the machine.
	CAFile string
	// CertFile and KeyFile are the application's own certificate and its private key, in
	// PEM. If empty, it has none.
	CertFile, KeyFile string
	// ServerName is the name that the executor's certificate must have. If empty, the host
	// of the address; for a unix socket, localhost.
	ServerName string
}

// transport gives the credentials of the connection; secure is what the address asks for.
func (c *Client) transport(o Options, secure bool) (credentials.TransportCredentials, error) {
	t := o.TLS
	switch {
	case o.Dialer != nil || t == nil && !secure:
		return insecure.NewCredentials(), nil
	case t == nil:
		t = &TLS{}
	case t.Config != nil:
		return tlsfiles.ClientOf(t.Config), nil
	}
	source, err := tlsfiles.Load(tlsfiles.Files{Cert: t.CertFile, Key: t.KeyFile, CA: t.CAFile}, func(err error) {
		c.log.Warn("a TLS file changed and cannot be used; what was there before is", "error", err)
	})
	if err != nil {
		return nil, fault.Wrap(fault.Config, err, "the TLS files of the connection to the executor cannot be used")
	}
	return source.Client(t.ServerName), nil
}
