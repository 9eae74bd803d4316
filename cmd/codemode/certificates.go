package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// maxDays bounds the validity of a certificate.
const maxDays = 3650

// A certificateSet is what an executor and its application need to speak TLS.
type certificateSet struct {
	dir                string
	hosts, clientHosts []string
	days               int
}

// authority signs.
type authority struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

// generate writes the files that are not there, and gives their paths.
func (s certificateSet) generate() ([]string, error) {
	if s.days < 1 || s.days > maxDays {
		return nil, fmt.Errorf("--days %d: it must be from 1 to %d", s.days, maxDays)
	}
	for _, host := range append(append([]string{}, s.hosts...), s.clientHosts...) {
		if host == "" || len(host) > 253 || strings.ContainsAny(host, "/ \t\n\\") || strings.Contains(host, "://") {
			return nil, fmt.Errorf("%q is not a name or an address: write it without scheme, port and path", host)
		}
		if _, err := netip.ParseAddr(host); err != nil && strings.Contains(host, ":") {
			return nil, fmt.Errorf("%q is not a name or an address: write it without a port", host)
		}
	}
	if err := s.nothingLost(); err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	signer, err := s.authority(files)
	if err != nil {
		return nil, err
	}
	for _, end := range []struct {
		name  string
		hosts []string
		usage []x509.ExtKeyUsage
	}{
		{"server", s.hosts, s.usage(x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth)},
		{"client", s.clientHosts, s.usage(x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth)},
	} {
		template := newTemplate("codemode "+end.name, s.days)
		template.KeyUsage, template.ExtKeyUsage = x509.KeyUsageDigitalSignature, end.usage
		if template.NotAfter.After(signer.certificate.NotAfter) {
			template.NotAfter = signer.certificate.NotAfter
		}
		for _, host := range end.hosts {
			if address, err := netip.ParseAddr(host); err == nil {
				template.IPAddresses = append(template.IPAddresses, address.AsSlice())
			} else {
				template.DNSNames = append(template.DNSNames, host)
			}
		}
		if _, err := signer.sign(files, end.name, template); err != nil {
			return nil, err
		}
	}
	return s.write(files)
}

// usage gives an end's own role, and the other one where the ends dial each other.
func (s certificateSet) usage(own, other x509.ExtKeyUsage) []x509.ExtKeyUsage {
	if len(s.clientHosts) == 0 {
		return []x509.ExtKeyUsage{own}
	}
	return []x509.ExtKeyUsage{own, other}
}

// nothingLost refuses to go on where a file would be overwritten.
func (s certificateSet) nothingLost() error {
	for _, name := range []string{"server.crt", "server.key", "client.crt", "client.key"} {
		if path := filepath.Join(s.dir, name); exists(path) {
			return fmt.Errorf("%s exists already, and nothing is overwritten: choose another --dir, or move it away", path)
		}
	}
	if exists(filepath.Join(s.dir, "ca.crt")) != exists(filepath.Join(s.dir, "ca.key")) {
		return fmt.Errorf("%s has only one of ca.crt and ca.key: add the other to sign with it, or move it away", s.dir)
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// authority gives the one that is there, or makes one.
func (s certificateSet) authority(files map[string][]byte) (*authority, error) {
	cert, key := filepath.Join(s.dir, "ca.crt"), filepath.Join(s.dir, "ca.key")
	if exists(cert) {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("the authority in %s cannot sign: %w", s.dir, err)
		}
		signer, ok := pair.PrivateKey.(crypto.Signer)
		if !ok || !pair.Leaf.IsCA {
			return nil, fmt.Errorf("%s is not an authority's certificate", cert)
		}
		if time.Now().After(pair.Leaf.NotAfter) {
			return nil, fmt.Errorf("%s expired on %s: move both files away for a new authority", cert, pair.Leaf.NotAfter.Format(time.DateOnly))
		}
		return &authority{pair.Leaf, signer}, nil
	}
	template := newTemplate("codemode authority", min(10*s.days, maxDays))
	template.IsCA, template.BasicConstraintsValid, template.MaxPathLenZero = true, true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	return (*authority)(nil).sign(files, "ca", template)
}

func newTemplate(name string, days int) *x509.Certificate {
	now := time.Now()
	return &x509.Certificate{
		Subject: pkix.Name{CommonName: name},
		// The other machine's clock may be behind.
		NotBefore: now.Add(-5 * time.Minute), NotAfter: now.AddDate(0, 0, days),
	}
}

// sign adds a certificate and its key to files; without an authority it signs itself.
func (a *authority) sign(files map[string][]byte, name string, template *x509.Certificate) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	if a == nil {
		a = &authority{template, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		return nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	files[name+".crt"] = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	files[name+".key"] = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
	certificate, err := x509.ParseCertificate(der)
	return &authority{certificate, key}, err
}

// write makes the files, keys readable by their owner alone; after an error none is left.
func (s certificateSet) write(files map[string][]byte) (written []string, err error) {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, err
	}
	defer func() {
		if err == nil {
			return
		}
		for _, path := range written {
			err = errors.Join(err, os.Remove(path))
		}
	}()
	for _, name := range []string{"ca.crt", "ca.key", "server.crt", "server.key", "client.crt", "client.key"} {
		data, made := files[name]
		if !made {
			continue
		}
		mode := fs.FileMode(0o644)
		if strings.HasSuffix(name, ".key") {
			mode = 0o600
		}
		path := filepath.Join(s.dir, name)
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
		if err != nil {
			return written, err
		}
		written = append(written, path)
		_, err = f.Write(data)
		if err := errors.Join(err, f.Close()); err != nil {
			return written, err
		}
	}
	return written, nil
}
