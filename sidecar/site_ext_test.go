//go:build linux

package sidecar_test

import (
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/executorclient"
)

// A site is a server on the loopback interface, over http and https, for programs to
// reach through the proxy, and a TCP and a UDP port beside it that they must not reach.
type site struct {
	http, https string // host:port
	ca          string // the file that https is to be checked with
	tcp, udp    string

	mu      sync.Mutex
	reached []string // what arrived at tcp and udp
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/metadata" {
			http.Redirect(w, r, "http://169.254.169.254/latest/meta-data/", http.StatusFound)
			return
		}
		body, err := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s %v", r.Method, r.URL.Path, body, err)
	})
	plain, secure := httptest.NewServer(handler), httptest.NewTLSServer(handler)
	t.Cleanup(plain.Close)
	t.Cleanup(secure.Close)
	s.http, s.https = plain.Listener.Addr().String(), secure.Listener.Addr().String()
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw})
	s.ca = string(certificate)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.tcp, s.udp = listener.Addr().String(), packets.LocalAddr().String()
	var listening sync.WaitGroup
	listening.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			s.reach("tcp")
			conn.Close()
		}
	})
	listening.Go(func() {
		for buffer := make([]byte, 1); ; {
			if _, _, err := packets.ReadFrom(buffer); err != nil {
				return
			}
			s.reach("udp")
		}
	})
	t.Cleanup(func() {
		listener.Close()
		packets.Close()
		listening.Wait()
	})
	return s
}

func (s *site) reach(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reached = append(s.reached, what)
}

func (s *site) reachedBy() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.reached)
}

// restricted is an executor whose programs may reach the site.
func restricted(t *testing.T, s *site, change ...func(*config.SidecarConfig)) *executor {
	t.Helper()
	return start(t, func(c *config.SidecarConfig) {
		c.Network.Mode = config.NetworkRestricted
		c.Network.AllowedDomains = []string{s.http, s.https}
		c.Network.AllowPrivate = true
		for _, f := range change {
			f(c)
		}
	})
}

func (s *site) head() string {
	return fmt.Sprintf(`
import asyncio, ctypes, os, socket, ssl, threading, urllib.request, urllib.error
HTTP, HTTPS, TCP, UDP = %q, %q, ('127.0.0.1', %s), ('127.0.0.1', %s)
CA = %q
def attempt(what, *args, **named):
    try:
        what(*args, **named)
    except Exception as error:
        return type(error).__name__
    return 'ESCAPED'
`, s.http, s.https, s.tcp[strings.LastIndexByte(s.tcp, ':')+1:], s.udp[strings.LastIndexByte(s.udp, ':')+1:], s.ca)
}

func (e *executor) value(t *testing.T, code string) string {
	t.Helper()
	got := e.run(t, code)
	if got.Status != executorclient.OK {
		t.Fatalf("%s: %+v\n%s", got.Status, got.Error, got.Stderr)
	}
	return fmt.Sprint(got.Value)
}
