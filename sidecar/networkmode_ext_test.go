//go:build linux

package sidecar_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/sidecar"
)

func TestModeAllIsTheExecutorsNetwork(t *testing.T) {
	besideOthers(t)
	s := newSite(t)
	e := start(t, func(c *config.SidecarConfig) { c.Network.Mode = config.NetworkAll })
	got := e.value(t, s.head()+`
context = ssl.create_default_context(cadata=CA)
socket.create_connection(TCP, 120).close()
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.sendto(b'x', UDP)
u.close()
[urllib.request.urlopen(f'http://{HTTP}/a', timeout=120).read().decode(),
 urllib.request.urlopen(f'https://{HTTPS}/b', timeout=120, context=context).read().decode(),
 socket.getaddrinfo('localhost', 80, socket.AF_INET, socket.SOCK_STREAM)[0][4][0]]`)
	if want := "[GET /a  <nil> GET /b  <nil> 127.0.0.1]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	waitFor(t, func() bool { return slices.Contains(s.reachedBy(), "tcp") && slices.Contains(s.reachedBy(), "udp") })
	for _, layer := range e.server.Layers() {
		if layer.Name == "network" && (layer.InForce || !strings.Contains(layer.Detail, "by configuration")) {
			t.Errorf("%+v", layer)
		}
		if layer.Name == "landlock" && strings.Contains(layer.Detail, "TCP") {
			t.Errorf("%+v", layer)
		}
	}
	for name, code := range map[string]string{
		"unix": "socket.AF_UNIX", "netlink": "socket.AF_NETLINK, socket.SOCK_RAW", "packet": "socket.AF_PACKET, socket.SOCK_RAW",
		"vsock": "40", "raw": "socket.AF_INET, socket.SOCK_RAW, 1", "ping": "socket.AF_INET, socket.SOCK_DGRAM, 1",
		"SCTP": "socket.AF_INET, socket.SOCK_STREAM, 132", "alg": "38, socket.SOCK_SEQPACKET",
	} {
		if got := e.value(t, s.head()+"attempt(socket.socket, "+code+")"); got == "ESCAPED" {
			t.Errorf("a %s socket was made", name)
		}
	}
	if got := e.value(t, s.head()+"attempt(lambda: socket.socket().bind(('127.0.0.1', 0)))"); got == "ESCAPED" {
		t.Error("a program listens")
	}
}

// Who asks for the network layer does not get an executor without it.
func TestModeAllDoesNotPassForIsolation(t *testing.T) {
	besideOthers(t)
	cfg := config.DefaultSidecar()
	cfg.Network.Mode = config.NetworkAll
	cfg.Sandbox = config.Sandbox{Require: config.RequireLayers, Layers: []string{"network"}}
	if python := os.Getenv(pythonVariable); python != "" {
		cfg.Python = python
	}
	server, err := sidecar.New(t.Context(), cfg, nil)
	if err == nil {
		server.Close()
		t.Fatal("it started")
	}
	if failure, ok := errors.AsType[*fault.Error](err); !ok || failure.Code != fault.Sandbox || !strings.Contains(err.Error(), "by configuration") {
		t.Errorf("%v", err)
	}
}
