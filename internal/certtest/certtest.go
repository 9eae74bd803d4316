// Package certtest makes certificates for tests, good ones and such as nobody should
// accept.
package certtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// An Authority signs certificates.
type Authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// A Leaf is a certificate to make.
type Leaf struct {
	// Hosts are names and addresses.
	Hosts []string
	// From and Until bound its validity, counted from now. If both are zero, an hour
	// around now.
	From, Until time.Duration
	// Usage is what it is for. If empty, servers and clients.
	Usage []x509.ExtKeyUsage
}

// NewAuthority makes one that trusts nobody else.
func NewAuthority(t testing.TB) *Authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: "test authority"}, NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &Authority{certificate, key}
}

// Write writes the authority's certificate to a file, and gives its path.
func (a *Authority) Write(t testing.TB, dir, name string) string {
	t.Helper()
	return write(t, dir, name, "CERTIFICATE", a.certificate.Raw)
}

// Issue writes a certificate and its key to files of the name, over those that are there.
func (a *Authority) Issue(t testing.TB, dir, name string, leaf Leaf) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if leaf.From == 0 && leaf.Until == 0 {
		leaf.From, leaf.Until = -time.Hour, time.Hour
	}
	template := &x509.Certificate{
		Subject:   pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(leaf.From), NotAfter: time.Now().Add(leaf.Until),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: leaf.Usage,
	}
	if leaf.Usage == nil {
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	}
	for _, host := range leaf.Hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return write(t, dir, name+".crt", "CERTIFICATE", der), write(t, dir, name+".key", "PRIVATE KEY", private)
}

func write(t testing.TB, dir, name, kind string, der []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
