package tlsfiles

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"time"

	"google.golang.org/grpc/credentials"
)

// Server gives the credentials of a listener. With clientCertificates, only those with a
// certificate of the CA are spoken to. A refused handshake is told to refused.
func (s *Source) Server(clientCertificates bool, refused func(address net.Addr, err error)) credentials.TransportCredentials {
	return &perHandshake{config: func() *tls.Config { return s.server(clientCertificates) }, refused: refused}
}

// ServerOf is Server for a configuration of the caller's own; TLS before 1.3 is refused.
func ServerOf(config *tls.Config, refused func(address net.Addr, err error)) credentials.TransportCredentials {
	own := atLeast13(config)
	return &perHandshake{config: func() *tls.Config { return own }, refused: refused}
}

// Client gives the credentials of a connection. The other end's certificate must be for
// the name; if that is empty, for the host of the address.
func (s *Source) Client(name string) credentials.TransportCredentials {
	return &perHandshake{config: func() *tls.Config { return s.client(name) }}
}

// ClientOf is Client for a configuration of the caller's own; TLS before 1.3 is refused.
func ClientOf(config *tls.Config) credentials.TransportCredentials {
	own := atLeast13(config)
	return &perHandshake{config: func() *tls.Config { return own }}
}

func atLeast13(config *tls.Config) *tls.Config {
	own := config.Clone()
	own.MinVersion = max(own.MinVersion, tls.VersionTLS13)
	return own
}

// perHandshake asks for the configuration at each handshake.
type perHandshake struct {
	config  func() *tls.Config
	refused func(address net.Addr, err error)
}

// ClientHandshake verifies the name that the configuration has, if it has one. Package
// credentials takes the authority's in any case, which is the host of the address.
func (p *perHandshake) ClientHandshake(ctx context.Context, authority string, conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	config := p.config()
	return credentials.NewTLS(config).ClientHandshake(ctx, cmp.Or(config.ServerName, authority), conn)
}

// ServerHandshake is that of package credentials, but for the time that it leaves the
// other end to read why it was refused.
func (p *perHandshake) ServerHandshake(conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	config := p.config().Clone()
	config.NextProtos = []string{"h2"}
	secure := tls.Server(conn, config)
	// gRPC has set the connection's deadline.
	err := secure.HandshakeContext(context.Background())
	if err == nil && secure.ConnectionState().NegotiatedProtocol == "" {
		err = errors.New("the client did not ask for HTTP/2 (ALPN h2), which gRPC speaks")
	}
	if err != nil {
		if p.refused != nil && !errors.Is(err, io.EOF) { // EOF: somebody looked whether the port is open
			p.refused(conn.RemoteAddr(), err)
		}
		linger(conn)
		return nil, nil, errors.Join(err, conn.Close())
	}
	return secure, credentials.TLSInfo{
		State:          secure.ConnectionState(),
		CommonAuthInfo: credentials.CommonAuthInfo{SecurityLevel: credentials.PrivacyAndIntegrity},
	}, nil
}

// linger lets the other end read why it was refused: closing a connection on which
// something is still unread would throw that away.
func linger(conn net.Conn) {
	half, ok := conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil || conn.SetReadDeadline(time.Now().Add(time.Second)) != nil {
		return
	}
	// Only that it ends counts, not how.
	_, _ = io.CopyN(io.Discard, conn, 64<<10)
}

func (p *perHandshake) Info() credentials.ProtocolInfo {
	return credentials.ProtocolInfo{SecurityProtocol: "tls"}
}

func (p *perHandshake) Clone() credentials.TransportCredentials {
	return &perHandshake{p.config, p.refused}
}

// OverrideServerName is part of the interface and deprecated there; names are given to
// Client.
func (p *perHandshake) OverrideServerName(string) error {
	return errors.New("the name to verify is set when the credentials are made")
}
