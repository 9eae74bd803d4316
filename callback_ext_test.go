package codemode_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/internal/certtest"
	"github.com/codemode-sdk/codemode/internal/porttest"
	"github.com/codemode-sdk/codemode/registry"
	"github.com/codemode-sdk/codemode/sidecar"
)

// serveExecutor serves an executor on a TCP port of this machine until the test ends.
func serveExecutor(t *testing.T, cfg config.SidecarConfig) (port int) {
	t.Helper()
	server, err := sidecar.New(context.Background(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := server.Serve(listener); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		serving.Wait()
	})
	return listener.Addr().(*net.TCPAddr).Port
}

func freePort(t *testing.T) int {
	t.Helper()
	port, err := porttest.Free()
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// An application whose file alone asks for callback mode serves its tools over mutual TLS
// and with a key, and its executor calls them there.
func TestAFileAloneChoosesCallbackMode(t *testing.T) {
	dir := t.TempDir()
	authority := certtest.NewAuthority(t)
	ca := authority.Write(t, dir, "ca.crt")
	both := certtest.Leaf{Hosts: []string{"127.0.0.1"}}
	cert, key := authority.Issue(t, dir, "server", both)
	clientCert, clientKey := authority.Issue(t, dir, "client", both)
	tools := freePort(t)
	cfg := config.DefaultSidecar()
	cfg.TLS = config.ServerTLS{Enabled: true, CertFile: cert, KeyFile: key, CAFile: ca, ClientAuth: config.ClientAuthRequire}
	cfg.Callback = config.Callback{Addresses: []string{fmt.Sprintf("https://127.0.0.1:%d", tools)}, APIKey: config.NewSecret("back")}
	file := filepath.Join(dir, "codemode.yaml")
	write := func(key string) {
		t.Helper()
		text := fmt.Sprintf(`
executor:
  url: https://127.0.0.1:%d
  callback:
    listen: 127.0.0.1:%d
    url: https://127.0.0.1:%[2]d
    api_key: %s
grpc:
  tls: {ca_file: %s, client_cert_file: %s, client_key_file: %s}
`, serveExecutor(t, cfg), tools, key, ca, clientCert, clientKey)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	open := func() *codemode.Codemode {
		t.Helper()
		cm, err := codemode.FromConfig(file)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := cm.Close(); err != nil {
				t.Error(err)
			}
		})
		registry.Func(cm.Registry(), "double", "", func(_ context.Context, in struct{ X int }) (int, error) { return 2 * in.X, nil })
		return cm
	}

	write("back")
	cm := open()
	if got, err := cm.Execute(t.Context(), "tools.double(X=21)"); err != nil || got.Value != int64(42) {
		t.Errorf("%v, %v", got.Text(), err)
	}
	// The port is this application's until it closes.
	if _, err := codemode.FromConfig(file); codemode.CodeOf(err) != codemode.CodeConfig || !strings.Contains(err.Error(), "executor.callback.listen") {
		t.Errorf("a second one on the same port: %v", err)
	}
	if err := cm.Close(); err != nil {
		t.Error(err)
	}

	// With another key the calls fail, which shows by which way they come.
	write("another")
	got, err := open().Execute(t.Context(), "tools.double(X=21)")
	if err != nil || got.Error == nil || !strings.Contains(got.Error.Message, "does not accept the executor's key") || !strings.Contains(got.Error.Message, "did not run") {
		t.Errorf("with another key: %s, %v", got.Text(), err)
	}
}
