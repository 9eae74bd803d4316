package sidecar

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"net/url"
	"strings"
	"testing"
)

// A record names whom a certificate is for, whatever kind of names it has, and whatever
// nonsense an authority has signed.
func TestARecordNamesTheHolderOfACertificate(t *testing.T) {
	spiffe := &url.URL{Scheme: "spiffe", Host: "prod", Path: "/billing"}
	for want, leaf := range map[string]x509.Certificate{
		"billing":                    {Subject: pkix.Name{CommonName: "billing"}, DNSNames: []string{"other"}},
		"billing.internal":           {DNSNames: []string{"billing.internal", "other"}, URIs: []*url.URL{spiffe}},
		"spiffe://prod/billing":      {URIs: []*url.URL{spiffe}},
		"ada@example.com":            {EmailAddresses: []string{"ada@example.com"}},
		"::1":                        {IPAddresses: []net.IP{net.IPv6loopback}},
		"77":                         {SerialNumber: big.NewInt(77)},
		strings.Repeat("x", 200):     {Subject: pkix.Name{CommonName: strings.Repeat("x", 1<<20)}},
		"\uFFFD" + "\n" + "caller=x": {Subject: pkix.Name{CommonName: "\xff\ncaller=x"}},
	} {
		if got := holder(&leaf); got != want {
			t.Errorf("got %.300q, want %q", got, want)
		}
	}
}
