// Package tlsfiles makes gRPC credentials from PEM files that may change while the
// process runs. Each handshake takes the files as they are then; connections that stand
// are left alone. A certificate counts only together with its key, so that half of a
// change is never used.
package tlsfiles

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"github.com/codemode-sdk/codemode/internal/reload"
)

// Files name the PEM files of one end. They may be left out where it has none.
type Files struct {
	// Cert is the end's own certificate, followed by those between it and the authority;
	// Key is its private key.
	Cert, Key string
	// CA holds the authorities from which the other end's certificate must come.
	CA string
}

type material struct {
	own   *tls.Certificate // nil without one
	roots *x509.CertPool   // nil for the system's
}

// A Source is the material of one end, as its files hold it.
type Source struct{ value *reload.Value[material] }

// Load reads the files. Of a later change that cannot be used, failed is told, and what
// was there before stays in use.
func Load(files Files, failed func(error)) (*Source, error) {
	if (files.Cert == "") != (files.Key == "") {
		return nil, errors.New("a certificate needs its private key, and the other way round: name both files")
	}
	var paths []string
	for _, path := range []string{files.Cert, files.Key, files.CA} {
		if path != "" {
			paths = append(paths, path)
		}
	}
	value, err := reload.New(func(contents [][]byte) (m material, err error) {
		if files.Cert != "" {
			if m.own, err = pair(files, contents[0], contents[1]); err != nil {
				return m, err
			}
			contents = contents[2:]
		}
		if files.CA != "" {
			m.roots, err = pool(files.CA, contents[0])
		}
		return m, err
	}, failed, paths...)
	if err != nil {
		return nil, err
	}
	return &Source{value}, nil
}

func pair(files Files, cert, key []byte) (*tls.Certificate, error) {
	own, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("%s and %s: %w", files.Cert, files.Key, err)
	}
	return &own, nil
}

func pool(path string, data []byte) (*x509.CertPool, error) {
	roots, found := x509.NewCertPool(), 0
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("%s: a PEM block %q where only certificates belong", path, block.Type)
		}
		authority, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		roots.AddCert(authority)
		found++
	}
	if found == 0 {
		return nil, fmt.Errorf("%s: no PEM certificate in it", path)
	}
	return roots, nil
}

// Reload reads the files whether they changed or not.
func (s *Source) Reload() error { return s.value.Reload() }

// Expires is when the end's own certificate does; the zero time without one.
func (s *Source) Expires() time.Time {
	if own := s.value.Get().own; own != nil && own.Leaf != nil {
		return own.Leaf.NotAfter
	}
	return time.Time{}
}

// server is what one handshake of a server goes by.
func (s *Source) server(clientCertificates bool) *tls.Config {
	now := s.value.Get()
	config := &tls.Config{MinVersion: tls.VersionTLS13, SessionTicketsDisabled: true}
	if now.own != nil {
		config.Certificates = []tls.Certificate{*now.own}
	}
	if clientCertificates {
		config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, now.roots
	}
	return config
}

// client is what one handshake of a client goes by. An empty name is that of the address.
func (s *Source) client(name string) *tls.Config {
	now := s.value.Get()
	config := &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: now.roots, ServerName: name}
	if own := now.own; own != nil {
		// Whatever authorities the other end names: it says best itself what it misses.
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return own, nil }
	}
	return config
}
