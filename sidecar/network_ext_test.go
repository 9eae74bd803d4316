//go:build linux

package sidecar_test

import (
	"context"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/executorclient"
)

// A program that fetches what it may does so with the library that everyone knows.
func TestUrllibReachesAnAllowedHost(t *testing.T) {
	besideOthers(t)
	s := newSite(t)
	e := restricted(t, s)
	got := e.value(t, s.head()+`
context = ssl.create_default_context(cadata=CA)
def get(url, data=None):
    with urllib.request.urlopen(url, data=data, context=context, timeout=120) as r:
        return r.read().decode()
[get(f'http://{HTTP}/a'), get(f'http://{HTTP}/b', b'x' * 100000)[:10], get(f'https://{HTTPS}/c'), get(f'https://{HTTPS}/d', b'y')]`)
	if want := "[GET /a  <nil> POST /b xx GET /c  <nil> POST /d y <nil>]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	// Threads and an event loop, many at once, and sockets that come and go.
	got = e.value(t, s.head()+`
from concurrent.futures import ThreadPoolExecutor
host, port = HTTP.split(':')
def get(i):
    return urllib.request.urlopen(f'http://{HTTP}/{i}', timeout=120).read().decode().split()[1]
with ThreadPoolExecutor(8) as pool:
    threads = list(pool.map(get, range(40))) == [f'/{i}' for i in range(40)]
async def fetch(i):
    reader, writer = await asyncio.open_connection('127.0.0.1', 3128)
    writer.write(f'GET http://{HTTP}/{i} HTTP/1.1\r\nHost: {HTTP}\r\nConnection: close\r\n\r\n'.encode())
    await writer.drain()
    answer = await reader.read()
    writer.close()
    return b' 200 ' in answer and f'GET /{i} '.encode() in answer
[threads, all(await asyncio.gather(*(fetch(i) for i in range(20))))]`)
	if got != "[true true]" {
		t.Errorf("many at once: %s", got)
	}
}

// Everything but the proxy stays shut, whichever way a program tries.
func TestNothingButTheProxyIsReached(t *testing.T) {
	besideOthers(t)
	s := newSite(t)
	e := restricted(t, s)
	attempts := map[string]string{
		"the site past the proxy":     `attempt(socket.create_connection, ('127.0.0.1', int(HTTP.split(':')[1])))`,
		"another port":                `attempt(socket.create_connection, TCP, 3)`,
		"the internet":                `attempt(socket.create_connection, ('1.1.1.1', 443), 3)`,
		"the proxy's port elsewhere":  `attempt(socket.create_connection, ('127.0.0.2', 3128), 3)`,
		"IPv6":                        `attempt(socket.create_connection, ('::1', TCP[1]))`,
		"an IPv6 socket":              `attempt(socket.socket, socket.AF_INET6)`,
		"UDP":                         `attempt(socket.socket, socket.AF_INET, socket.SOCK_DGRAM)`,
		"ICMP":                        `attempt(socket.socket, socket.AF_INET, socket.SOCK_DGRAM, 1)`,
		"raw":                         `attempt(socket.socket, socket.AF_INET, socket.SOCK_RAW, 1)`,
		"SCTP":                        `attempt(socket.socket, socket.AF_INET, socket.SOCK_STREAM, 132)`,
		"MPTCP":                       `attempt(socket.socket, socket.AF_INET, socket.SOCK_STREAM, 262)`,
		"unix":                        `attempt(socket.socket, socket.AF_UNIX)`,
		"a unix datagram pair":        `attempt(socket.socketpair, socket.AF_UNIX, socket.SOCK_DGRAM)`,
		"netlink":                     `attempt(socket.socket, socket.AF_NETLINK, socket.SOCK_RAW)`,
		"packet":                      `attempt(socket.socket, socket.AF_PACKET, socket.SOCK_RAW)`,
		"vsock":                       `attempt(socket.socket, 40)`,
		"a name by DNS":               `attempt(socket.getaddrinfo, 'secret.example.com', 443)`,
		"a name by DNS over TCP":      `attempt(socket.create_connection, ('8.8.8.8', 53), 3)`,
		"listen":                      `attempt(lambda: socket.socket().bind(('127.0.0.1', 0)))`,
		"listen without bind":         `attempt(lambda: socket.socket().listen())`,
		"accept":                      `attempt(lambda: socket.socket().accept())`,
		"fast open":                   `attempt(lambda: socket.socket().sendto(b'x', 0x20000000, TCP))`,
		"another host":                `attempt(urllib.request.urlopen, 'http://example.com/', timeout=120)`,
		"another host by https":       `attempt(urllib.request.urlopen, 'https://example.com/', timeout=120)`,
		"another port of the host":    `attempt(urllib.request.urlopen, 'http://127.0.0.1:%d/' % TCP[1], timeout=120)`,
		"metadata":                    `attempt(urllib.request.urlopen, 'http://169.254.169.254/', timeout=120)`,
		"a redirect to metadata":      `attempt(urllib.request.urlopen, f'http://{HTTP}/metadata', timeout=120)`,
		"the executor's own port":     `attempt(urllib.request.urlopen, 'http://localhost:8001/', timeout=120)`,
		"another scheme":              `attempt(urllib.request.urlopen, f'ftp://{HTTP}/', timeout=120)`,
		"without the proxy":           `attempt(urllib.request.build_opener(urllib.request.ProxyHandler({})).open, f'http://{HTTP}/', timeout=3)`,
		"a pretended unix connection": `attempt(ctypes_connect, b'\x01\x00/run/docker.sock\x00')`,
		"by hand":                     `attempt(ctypes_connect, bytes([2, 0]) + TCP[1].to_bytes(2, 'big') + bytes([127, 0, 0, 1]) + bytes(8))`,
		"an address out of memory":    `attempt(ctypes_connect, None)`,
		"a short address":             `attempt(ctypes_connect, b'\x02\x00')`,
	}
	head := s.head() + `
libc = ctypes.CDLL(None, use_errno=True)
def ctypes_connect(address):
    fd = libc.socket(2, 1, 0)
    if fd < 0 or libc.connect(fd, address, len(address or b'0123456789abcdef')) != 0:
        raise OSError(ctypes.get_errno())
`
	for name, code := range attempts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := e.run(t, head+code)
			if got.Status != executorclient.OK || got.Value == "ESCAPED" || got.Value == nil {
				t.Errorf("%s %v %+v", got.Status, got.Value, got.Error)
			}
		})
	}
	t.Cleanup(func() {
		if reached := s.reachedBy(); len(reached) > 0 {
			t.Errorf("reached: %q", reached)
		}
	})
}

// The listener by which a worker's calls are answered is nothing that a program can hold,
// and neither is the memory that was opened for it.
func TestTheProxyLeavesNoDescriptors(t *testing.T) {
	got := restricted(t, newSite(t)).value(t, `
import os
fds = []
for fd in range(256):
    try:
        os.fstat(fd)
        fds.append(fd)
    except OSError: pass
[fds, sorted(name for name in os.environ if 'PROXY' in name.upper())]`)
	if want := "[[0 1 2 3] [HTTPS_PROXY HTTP_PROXY NO_PROXY http_proxy https_proxy no_proxy]]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// A command that a program may start is as confined as the program.
func TestCommandsReachTheProxyOnly(t *testing.T) {
	besideOthers(t)
	if _, err := os.Stat("/usr/bin/curl"); err != nil {
		t.Skip("there is no curl on this machine")
	}
	s := newSite(t)
	e := restricted(t, s, func(c *config.SidecarConfig) {
		c.Execution = config.Execution{AllowDirectExecution: true, AllowedCommands: []string{"/usr/bin/curl"}}
	})
	got := e.value(t, s.head()+`
import subprocess
def curl(*args):
    r = subprocess.run(['/usr/bin/curl', '-sS', '-m', '120', *args], capture_output=True, text=True)
    return r.stdout if r.returncode == 0 else f'exit {r.returncode > 0}'
[curl(f'http://{HTTP}/a'), curl('http://example.com/')[:20], curl('--noproxy', '*', f'http://127.0.0.1:{TCP[1]}/')]`)
	if !strings.HasPrefix(got, "[GET /a  <nil> refused by the execu") {
		t.Errorf("%s", got)
	}
	if reached := s.reachedBy(); len(reached) > 0 {
		t.Errorf("reached: %q", reached)
	}
}

// What a program is given in the place of a socket is a pair's end: nothing that it can
// do to it leads anywhere but to the proxy, whatever race it wins.
func TestRacesLeadToTheProxy(t *testing.T) {
	besideOthers(t)
	s := newSite(t)
	e := restricted(t, s)
	got := e.run(t, s.head()+`
libc = ctypes.CDLL(None, use_errno=True)
good = bytes([2, 0]) + (3128).to_bytes(2, 'big') + bytes([127, 0, 0, 1]) + bytes(8)
bad = bytes([2, 0]) + TCP[1].to_bytes(2, 'big') + bytes([127, 0, 0, 1]) + bytes(8)
address = ctypes.create_string_buffer(good, 16)
stop = False
def swap():
    while not stop:
        ctypes.memmove(address, bad, 16)
        ctypes.memmove(address, good, 16)
thread = threading.Thread(target=swap)
thread.start()
through = 0
for i in range(300):
    fd = libc.socket(2, 1, 0)
    if fd >= 0:
        through += libc.connect(fd, address, 16) == 0
        try:
            os.write(fd, b'GET / HTTP/1.0\r\n\r\n')
            answer = os.read(fd, 100)
            assert answer.startswith(b'HTTP/1.'), answer
        except OSError:
            pass
        os.close(fd)
stop = True
thread.join()
through`)
	if got.Status != executorclient.OK {
		t.Fatalf("%s %+v", got.Status, got.Error)
	}
	if reached := s.reachedBy(); len(reached) > 0 {
		t.Errorf("reached: %q", reached)
	}
}

// A program learns why, in words that it can act on.
func TestARefusalSaysWhy(t *testing.T) {
	besideOthers(t)
	s := newSite(t)
	e := restricted(t, s)
	got := e.value(t, s.head()+`
try:
    urllib.request.urlopen('https://example.com/', timeout=120)
except OSError as error:
    https = str(error)
try:
    urllib.request.urlopen('http://example.com/', timeout=120)
except urllib.error.HTTPError as error:
    http = error.read().decode()
https + '\n' + http`)
	for line := range strings.SplitSeq(strings.TrimSpace(got), "\n") {
		if !strings.Contains(line, "example.com:") || !strings.Contains(line, "is not in network.allowed_domains") {
			t.Errorf("%q", line)
		}
	}
}

// Sockets cost the program that makes them, and no other.
func TestASocketFloodEndsWithItsRun(t *testing.T) {
	s := newSite(t)
	e := restricted(t, s, func(c *config.SidecarConfig) { c.Network.Connections = 4 })
	got := e.value(t, s.head()+`
held, error = [], None
try:
    while len(held) < 100:
        held.append(socket.socket())
except OSError as e:
    error = e.errno
[len(held), error]`)
	if got != "[4 24]" { // EMFILE
		t.Errorf("%s", got)
	}
	// While it lasts, others are served.
	ctx, stop := context.WithCancel(t.Context())
	held := newHold(t)
	close(held.end)
	var flooding sync.WaitGroup
	for range 3 {
		flooding.Go(func() {
			_, _ = e.Execute(ctx, executorclient.Request{
				Code: "import socket\ntools.hold()\nwhile True:\n  try: socket.socket().close()\n  except OSError: pass", Tools: held.tools,
			})
		})
	}
	for range 3 {
		<-held.begun
	}
	for range 5 {
		if got := e.value(t, s.head()+"urllib.request.urlopen(f'http://{HTTP}/', timeout=120).status"); got != "200" {
			t.Errorf("%s", got)
		}
	}
	stop()
	flooding.Wait()
}

// The libraries that programs really use know what to do with the proxy.
func TestRequestsAndHttpxWorkUnchanged(t *testing.T) {
	besideOthers(t)
	s := newSite(t)
	e := restricted(t, s)
	for name, code := range map[string]string{
		"requests": `
import requests
open('ca.pem', 'w').write(CA)
with requests.Session() as c:
    got = [c.get(f'http://{HTTP}/a').text, c.post(f'https://{HTTPS}/b', data='x', verify='ca.pem').text, c.get(f'http://{HTTP}/c').text]
got, requests.get('http://example.com/').status_code, attempt(requests.get, 'https://example.com/')`,
		"httpx": `
import httpx
open('ca.pem', 'w').write(CA)
with httpx.Client(verify='ca.pem') as c:
    got = [c.get(f'http://{HTTP}/a').text, c.post(f'https://{HTTPS}/b', data='x').text, c.get(f'http://{HTTP}/c').text]
async def fetch():
    async with httpx.AsyncClient(verify='ca.pem') as c:
        return (await asyncio.gather(c.get(f'http://{HTTP}/a'), c.post(f'https://{HTTPS}/b', data='x')))
assert [r.status_code for r in await fetch()] == [200, 200]
got, httpx.get('http://example.com/').status_code, attempt(httpx.get, 'https://example.com/')`,
	} {
		t.Run(name, func(t *testing.T) {
			if found := e.run(t, "import importlib.util; importlib.util.find_spec("+strconv.Quote(name)+") is not None"); found.Value != true {
				t.Skipf("%s is not installed for this Python; set %s to one that has it", name, pythonVariable)
			}
			got := e.value(t, s.head()+code)
			if want := "[GET /a  <nil> POST /b x <nil> GET /c  <nil>] 403 ProxyError"; strings.Trim(got, "[]") != strings.Trim(want, "[]") {
				t.Errorf("%s, want %s", got, want)
			}
		})
	}
}

// https needs the authorities of the machine, wherever it keeps them, and nothing beside.
func TestTheMachinesAuthoritiesAreTrusted(t *testing.T) {
	besideOthers(t)
	if _, err := os.Stat("/etc/ssl/certs/ca-certificates.crt"); err != nil {
		t.Skip("this machine has no authorities where Debian keeps them")
	}
	s := newSite(t)
	got := restricted(t, s).value(t, s.head()+`
context = ssl.create_default_context()
[len(context.get_ca_certs()) > 0, attempt(open, '/etc/passwd'), attempt(os.listdir, '/etc/ssl/private')]`)
	if !strings.HasPrefix(got, "[true ") || strings.Contains(got, "ESCAPED") {
		t.Errorf("%s", got)
	}
	if got := shared(t).value(t, s.head()+"attempt(open, '/etc/ssl/certs/ca-certificates.crt')"); got == "ESCAPED" {
		t.Error("mode none shows more than it needs to")
	}
}
