//go:build linux

package sidecar_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/executorclient"
	"github.com/codemode-sdk/codemode/internal/certtest"
	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/internal/waittest"
)

// listen serves an executor on a TCP port of this machine until the test ends.
func listen(t *testing.T, e *executor) (address string) {
	t.Helper()
	return listenOn(t, e, "tcp", "127.0.0.1:0")
}

func listenOn(t *testing.T, e *executor, network, at string) (address string) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), network, at)
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := e.server.Serve(listener); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		if err := e.server.Close(); err != nil {
			t.Error(err)
		}
		serving.Wait()
	})
	return listener.Addr().String()
}

// dial connects as an application elsewhere does.
func dial(t *testing.T, options executorclient.Options) *executorclient.Client {
	t.Helper()
	client, err := executorclient.Dial(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	return client
}

// runs runs a program on a fresh connection.
func runs(t *testing.T, options executorclient.Options) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), waittest.Patience)
	defer cancel()
	got, err := dial(t, options).Execute(ctx, executorclient.Request{Code: "6 * 7"})
	if err == nil && got.Value != int64(42) {
		t.Errorf("got %v", got.Value)
	}
	return err
}

// Whoever cannot be spoken to is told what is wrong with whose certificate, and that
// nothing ran. The executor's files change between the rows, as they do in rotation.
func TestEachTLSRefusalSaysWhich(t *testing.T) {
	besideOthers(t)
	dir := t.TempDir()
	ours, theirs := certtest.NewAuthority(t), certtest.NewAuthority(t)
	ca, foreign := ours.Write(t, dir, "ca.crt"), theirs.Write(t, dir, "foreign.crt")
	good := certtest.Leaf{Hosts: []string{"127.0.0.1", "executor.test"}}
	cert, key := ours.Issue(t, dir, "server", good)
	e := start(t, func(c *config.SidecarConfig) {
		c.TLS = config.ServerTLS{Enabled: true, CertFile: cert, KeyFile: key, CAFile: ca, ClientAuth: config.ClientAuthRequire}
		c.APIKeys = []config.Secret{config.NewSecret("s3cr3t")}
	})
	address := listen(t, e)
	clientCert, clientKey := ours.Issue(t, dir, "client", certtest.Leaf{Usage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	foreignCert, foreignKey := theirs.Issue(t, dir, "stranger", certtest.Leaf{})
	oldCert, oldKey := ours.Issue(t, dir, "old", certtest.Leaf{From: -2 * time.Hour, Until: -time.Hour})
	serverOnlyCert, serverOnlyKey := ours.Issue(t, dir, "server-only", certtest.Leaf{Usage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})

	pool := x509.NewCertPool()
	pem, err := os.ReadFile(ca)
	if err != nil || !pool.AppendCertsFromPEM(pem) {
		t.Fatal(err)
	}
	own, err := tls.LoadX509KeyPair(clientCert, clientKey)
	if err != nil {
		t.Fatal(err)
	}
	pair := []tls.Certificate{own}
	https := "https://" + address
	valid := executorclient.TLS{CAFile: ca, CertFile: clientCert, KeyFile: clientKey}
	if _, err := tls.Dial("tcp", address, &tls.Config{RootCAs: pool, MaxVersion: tls.VersionTLS12}); err == nil || !strings.Contains(err.Error(), "protocol version not supported") {
		t.Errorf("a TLS 1.2 client that is not ours: %v", err)
	}
	for _, test := range []struct {
		name    string
		server  certtest.Leaf // if it has hosts, in place of the good one
		signer  *certtest.Authority
		address string
		key     string
		tls     *executorclient.TLS
		says    []string // nothing if it works
	}{
		{name: "both are right", tls: &valid},
		{name: "a name in place of the address", server: certtest.Leaf{Hosts: []string{"executor.test"}}, tls: &executorclient.TLS{CAFile: ca, CertFile: clientCert, KeyFile: clientKey, ServerName: "executor.test"}},
		{name: "a name that the certificate does not have", tls: &executorclient.TLS{CAFile: ca, CertFile: clientCert, KeyFile: clientKey, ServerName: "elsewhere.test"}, says: []string{"for another name", "server_name"}},
		{name: "a name of the caller's own", server: certtest.Leaf{Hosts: []string{"executor.test"}}, tls: &executorclient.TLS{Config: &tls.Config{RootCAs: pool, Certificates: pair, ServerName: "executor.test"}}},
		{name: "a name of the caller's own that the certificate does not have", tls: &executorclient.TLS{Config: &tls.Config{RootCAs: pool, Certificates: pair, ServerName: "elsewhere.test"}}, says: []string{"for another name"}},
		{name: "dns and TLS", address: "dns:///" + address, tls: &valid},
		{name: "the executor's authority is foreign", tls: &executorclient.TLS{CAFile: foreign, CertFile: clientCert, KeyFile: clientKey}, says: []string{"authority that is not trusted here", "grpc.tls.ca_file"}},
		{name: "the machine's authorities do not know it", tls: &executorclient.TLS{CertFile: clientCert, KeyFile: clientKey}, says: []string{"authority that is not trusted here"}},
		{name: "the executor's certificate has expired", server: certtest.Leaf{Hosts: good.Hosts, From: -2 * time.Hour, Until: -time.Hour}, tls: &valid, says: []string{"the other end's certificate has expired"}},
		{name: "the executor's certificate is not yet valid", server: certtest.Leaf{Hosts: good.Hosts, From: time.Hour, Until: 2 * time.Hour}, tls: &valid, says: []string{"not yet valid", "clock"}},
		{name: "the executor's certificate is for another name", server: certtest.Leaf{Hosts: []string{"elsewhere.test"}}, tls: &valid, says: []string{"for another name", "server_name"}},
		{name: "the executor's certificate is for clients", server: certtest.Leaf{Hosts: good.Hosts, Usage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, tls: &valid, says: []string{"not for this end of a connection"}},
		{name: "the executor's new certificate is from elsewhere", server: good, signer: theirs, tls: &valid, says: []string{"authority that is not trusted here"}},
		{name: "no client certificate", tls: &executorclient.TLS{CAFile: ca}, says: []string{"asks for a client certificate", "client_cert_file"}},
		{name: "a client certificate of another authority", tls: &executorclient.TLS{CAFile: ca, CertFile: foreignCert, KeyFile: foreignKey}, says: []string{"does not trust the authority of the certificate that was sent"}},
		{name: "a client certificate that has expired", tls: &executorclient.TLS{CAFile: ca, CertFile: oldCert, KeyFile: oldKey}, says: []string{"finds the certificate that was sent expired"}},
		{name: "a client certificate for servers", tls: &executorclient.TLS{CAFile: ca, CertFile: serverOnlyCert, KeyFile: serverOnlyKey}, says: []string{"does not accept the certificate that was sent"}},
		{name: "no TLS", address: "http://" + address, says: []string{"closed an unencrypted connection", "https://"}},
		{name: "TLS 1.2", tls: &executorclient.TLS{Config: &tls.Config{RootCAs: pool, MaxVersion: tls.VersionTLS12}}, says: []string{"rules out TLS 1.3"}},
		{name: "the wrong key", key: "wrong", tls: &valid, says: []string{"the API key is not one of this executor's"}},
		{name: "both are right again", tls: &valid},
	} {
		t.Run(test.name, func(t *testing.T) {
			leaf, signer := test.server, test.signer
			if leaf.Hosts == nil {
				leaf = good
			}
			if signer == nil {
				signer = ours
			}
			signer.Issue(t, dir, "server", leaf)
			options := executorclient.Options{Address: https, APIKey: "s3cr3t", TLS: test.tls}
			if test.address != "" {
				options.Address = test.address
			}
			if test.key != "" {
				options.APIKey = test.key
			}
			err := runs(t, options)
			if len(test.says) == 0 {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if failure, ok := errors.AsType[*fault.Error](err); !ok || failure.Started {
				t.Fatalf("got %v", err)
			}
			want := fault.Unauthenticated
			if strings.HasPrefix(options.Address, "http://") {
				want = fault.Unavailable // an executor that is stopping looks the same
			}
			if code := fault.CodeOf(err); code != want {
				t.Errorf("code %s", code)
			}
			for _, words := range append(test.says, "") {
				if !strings.Contains(err.Error(), words) {
					t.Errorf("%q is not in: %v", words, err)
				}
			}
			if strings.Contains(err.Error(), "PRIVATE") || strings.Contains(err.Error(), "s3cr3t") {
				t.Errorf("it tells too much: %v", err)
			}
		})
	}
}

// An executor without TLS tells a client with TLS apart from one that is down.
func TestTLSToAnExecutorWithoutItSaysSo(t *testing.T) {
	besideOthers(t)
	address := listen(t, start(t, func(*config.SidecarConfig) {}))
	err := runs(t, executorclient.Options{Address: "https://" + address})
	if err == nil || !strings.Contains(err.Error(), "does not speak TLS") {
		t.Errorf("got %v", err)
	}
}

// Changing the files in the middle of a run does not end it; the next connection takes
// the new ones, and half of a change is never used.
func TestCertificatesChangeWithoutDroppingRuns(t *testing.T) {
	besideOthers(t)
	dir := t.TempDir()
	old, next := certtest.NewAuthority(t), certtest.NewAuthority(t)
	oldCA, nextCA := old.Write(t, dir, "old.crt"), next.Write(t, dir, "next.crt")
	leaf := certtest.Leaf{Hosts: []string{"127.0.0.1"}}
	cert, key := old.Issue(t, dir, "server", leaf)
	keys := filepath.Join(dir, "keys")
	writeFile(t, keys, "# in rotation\nfirst\n")
	var cfg config.SidecarConfig
	e := start(t, func(c *config.SidecarConfig) {
		c.TLS = config.ServerTLS{Enabled: true, CertFile: cert, KeyFile: key}
		c.APIKeysFile = keys
		cfg = *c
	})
	address := "https://" + listen(t, e)
	applicationKey := filepath.Join(dir, "application")
	writeFile(t, applicationKey, "first\n")
	client := dial(t, executorclient.Options{Address: address, APIKeyFile: applicationKey, TLS: &executorclient.TLS{CAFile: oldCA}})
	held, finished := newHold(t), make(chan error, 1)
	go func() {
		_, err := client.Execute(t.Context(), executorclient.Request{Code: "tools.hold()", Tools: held.tools})
		finished <- err
	}()
	<-held.begun

	// The certificate without its key, as it stands between two writes.
	spare := t.TempDir()
	nextCert, nextKey := next.Issue(t, spare, "server", leaf)
	copyFile(t, nextCert, cert)
	if err := runs(t, executorclient.Options{Address: address, APIKey: "first", TLS: &executorclient.TLS{CAFile: oldCA}}); err != nil {
		t.Errorf("with half of a change: %v", err)
	}
	if err := e.server.Reload(cfg); fault.CodeOf(err) != fault.Config || !strings.Contains(err.Error(), "server.key") {
		t.Errorf("a reload of half of a change: %v", err)
	}
	copyFile(t, nextKey, key)
	if err := runs(t, executorclient.Options{Address: address, APIKey: "first", TLS: &executorclient.TLS{CAFile: nextCA}}); err != nil {
		t.Errorf("with the whole of it: %v", err)
	}
	if err := e.server.Reload(cfg); err != nil {
		t.Error(err)
	}

	// Both keys, then only the new one; nonsense changes nothing.
	writeFile(t, keys, "first\nsecond\n")
	for _, k := range []string{"first", "second"} {
		if err := runs(t, executorclient.Options{Address: address, APIKey: k, TLS: &executorclient.TLS{CAFile: nextCA}}); err != nil {
			t.Errorf("key %s of two: %v", k, err)
		}
	}
	writeFile(t, applicationKey, "second\n")
	for _, text := range []string{"second\n", ""} {
		writeFile(t, keys, text)
		for k, want := range map[string]fault.Code{"first": fault.Unauthenticated, "second": ""} {
			if err := runs(t, executorclient.Options{Address: address, APIKey: k, TLS: &executorclient.TLS{CAFile: nextCA}}); fault.CodeOf(err) != want {
				t.Errorf("key %s, after it was replaced and the file has %q: %v", k, text, err)
			}
		}
	}
	close(held.end)
	if err := <-finished; err != nil {
		t.Errorf("the run in the middle of it all: %v", err)
	}
	if _, err := client.Execute(t.Context(), executorclient.Request{Code: "1"}); err != nil {
		t.Errorf("the application with the replaced key, on its old connection: %v", err)
	}
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, to, string(data))
}

// What cannot be served is refused at the start, with the file.
func TestTLSFilesThatCannotBeUsedStopTheStart(t *testing.T) {
	besideOthers(t)
	dir := t.TempDir()
	authority := certtest.NewAuthority(t)
	cert, key := authority.Issue(t, dir, "a", certtest.Leaf{})
	_, otherKey := authority.Issue(t, dir, "b", certtest.Leaf{})
	nonsense := filepath.Join(dir, "nonsense")
	writeFile(t, nonsense, "-----BEGIN")
	for name, test := range map[string]struct {
		tls  config.ServerTLS
		says string
	}{
		"no certificate":             {config.ServerTLS{Enabled: true}, "grpc.tls.cert_file"},
		"another's key":              {config.ServerTLS{Enabled: true, CertFile: cert, KeyFile: otherKey}, "private key does not match"},
		"no such file":               {config.ServerTLS{Enabled: true, CertFile: cert, KeyFile: dir + "/none"}, "no such file"},
		"a directory":                {config.ServerTLS{Enabled: true, CertFile: cert, KeyFile: dir}, "not a file"},
		"nonsense for an authority":  {config.ServerTLS{Enabled: true, CertFile: cert, KeyFile: key, CAFile: nonsense}, "no PEM certificate"},
		"a key for an authority":     {config.ServerTLS{Enabled: true, CertFile: cert, KeyFile: key, CAFile: key}, "where only certificates belong"},
		"require without authority":  {config.ServerTLS{Enabled: true, CertFile: cert, KeyFile: key, ClientAuth: config.ClientAuthRequire}, "needs grpc.tls.ca_file"},
		"an unknown word for client": {config.ServerTLS{Enabled: true, CertFile: cert, KeyFile: key, ClientAuth: "maybe"}, "none or require"},
	} {
		cfg := config.DefaultSidecar()
		cfg.TLS = test.tls
		if _, err := open(cfg); fault.CodeOf(err) != fault.Config || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
