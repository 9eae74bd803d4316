package sandbox

import (
	"cmp"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/codemode-sdk/codemode/internal/fault"
)

// In mode restricted a worker still cannot make a socket. Its socket(AF_INET,
// SOCK_STREAM) is answered by the executor, to whom the filter hands the call over
// (seccomp user notification): it puts one end of a unix socket pair in the place of the
// new socket, and keeps the other for its proxy. Whatever the program connects that to,
// it leads to the proxy, and there is nothing to check and so nothing to race with: no
// address, no port, no route. It works the same with and without a network namespace,
// which stays as empty as in mode none.

// The network modes; see config.Network.
const (
	NetworkNone       = "none"
	NetworkRestricted = "restricted"
	NetworkAll        = "all"
)

// ProxyAddress is where programs are told that the proxy is. Nothing listens there.
var ProxyAddress = netip.MustParseAddrPort("127.0.0.1:3128")

// egressPlan is what a worker in mode restricted does besides.
type egressPlan struct {
	Host string `json:"host"`
	Port uint16 `json:"port"`
}

// useNetwork plans what there is of a network, after namespaces and Landlock and before
// seccomp.
func (p *Plan) useNetwork(o Options) {
	switch o.Network {
	case NetworkRestricted:
		p.useProxy()
	case NetworkAll:
		p.Attr.Cloneflags &^= unix.CLONE_NEWNET
		p.setLayer(Network, false, "by configuration: programs have the executor's network (network.mode: all)")
		p.useCertificates()
	}
}

func (p *Plan) useProxy() {
	if err := notificationAvailable(); err != nil {
		p.refuse(fault.Wrap(fault.Sandbox, err, "network.mode restricted cannot be enforced here: it takes seccomp user notification").
			WithRemedy("use Linux 5.14 or newer with a seccomp profile such as Docker's default one, or network.mode none"))
		return
	}
	p.Egress = true
	p.message.Worker.Egress = &egressPlan{Host: ProxyAddress.Addr().String(), Port: ProxyAddress.Port()}
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"} {
		p.message.Environment[name] = "http://" + ProxyAddress.String()
	}
	for _, name := range []string{"NO_PROXY", "no_proxy"} {
		p.message.Environment[name] = "" // the proxy says which hosts are near
	}
	p.useCertificates()
	if p.layerOf(Network).InForce {
		p.setLayer(Network, true, "no interfaces; connections lead to the executor's proxy")
	}
}

func (p *Plan) useCertificates() {
	for name, path := range certificates() {
		p.message.Environment[name] = path
	}
}

func (p *Plan) layerOf(name string) *Layer {
	for i := range p.Layers {
		if p.Layers[i].Name == name {
			return &p.Layers[i]
		}
	}
	p.layer(name, false, "")
	return &p.Layers[len(p.Layers)-1]
}

func (p *Plan) setLayer(name string, inForce bool, detail string) {
	*p.layerOf(name) = Layer{Name: name, InForce: inForce, Detail: detail}
}

// networkPaths are the files that programs with a network read.
func networkPaths(mode string) []string {
	if mode != NetworkRestricted && mode != NetworkAll {
		return nil
	}
	paths := []string{
		"/etc/ssl/certs", "/etc/ssl/cert.pem", "/etc/ssl/ca-bundle.pem", "/etc/ssl/openssl.cnf", "/etc/pki/tls/certs",
		"/etc/pki/tls/cert.pem", "/etc/pki/tls/cacert.pem", "/etc/pki/tls/openssl.cnf", "/etc/pki/ca-trust/extracted",
		"/etc/ca-certificates/extracted", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates",
	}
	for _, path := range certificates() {
		paths = append(paths, path)
	}
	if mode == NetworkAll {
		paths = append(paths, "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf",
			"/etc/services", "/etc/protocols")
	}
	return paths
}

// certificates are the variables by which OpenSSL finds the authorities to trust,
// wherever this machine has them: as the executor's own say, else at the usual places.
func certificates() map[string]string {
	found := map[string]string{}
	first := func(name string, usual ...string) {
		own := os.Getenv(name)
		if !filepath.IsAbs(own) || strings.Contains(own, ":") {
			own = ""
		}
		for _, path := range append([]string{own}, usual...) {
			if _, err := os.Stat(cmp.Or(path, "/nowhere/")); err == nil {
				found[name] = filepath.Clean(path)
				return
			}
		}
	}
	first("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
		"/etc/pki/tls/cacert.pem", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/cert.pem")
	first("SSL_CERT_DIR", "/etc/ssl/certs", "/etc/pki/tls/certs")
	return found
}

// notificationAvailable asks whether a filter may hand calls over.
func notificationAvailable() error {
	action := uint32(retUserNotif)
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, 2 /* SECCOMP_GET_ACTION_AVAIL */, 0, uintptr(unsafe.Pointer(&action)))
	if errno != 0 {
		return fmt.Errorf("seccomp: %w", errno)
	}
	return nil
}

// A socket's type goes with flags that mean nothing to what it may do.
const socketFlags = unix.SOCK_NONBLOCK | unix.SOCK_CLOEXEC

// proxied are the calls that the fork server's filter lets through for the worker's to
// decide on.
var proxied = []uint32{unix.SYS_SOCKET, unix.SYS_CONNECT}

// useProxyOnly is the worker's part in mode restricted. bind, listen and accept stay
// refused; options of TCP and IP,
// and most others, are taken to be set on what only looks like a TCP socket.
func useProxyOnly(policy map[uint32]decision) {
	policy[unix.SYS_SOCKET] = decision{
		checks: []check{
			argIn(0, unix.AF_INET), argMasked(1, ^uint32(socketFlags), unix.SOCK_STREAM), argIn(2, 0, unix.IPPROTO_TCP),
		},
		otherwise: retErrno | ePERM, holds: retUserNotif,
	}
	policy[unix.SYS_CONNECT] = decision{otherwise: retUserNotif}
	policy[unix.SYS_SETSOCKOPT] = allowIf(0, argIn(1, unix.SOL_SOCKET), argIn(2, unix.SO_REUSEADDR, unix.SO_KEEPALIVE,
		unix.SO_SNDBUF, unix.SO_RCVBUF, unix.SO_LINGER, unix.SO_SNDTIMEO, unix.SO_RCVTIMEO))
}

// connecting are the calls of a program with a network of its own: resolvers send in
// pairs.
var connecting = []uint32{unix.SYS_SOCKET, unix.SYS_CONNECT, unix.SYS_SENDMMSG}

// useSockets is the worker's part in mode all: TCP and UDP, out only.
func useSockets(policy map[uint32]decision) {
	policy[unix.SYS_SOCKET] = allowIf(ePERM,
		argIn(0, unix.AF_INET, unix.AF_INET6),
		check{arg: 1, mask: ^uint32(socketFlags), values: []uint32{unix.SOCK_STREAM, unix.SOCK_DGRAM}},
		argIn(2, 0, unix.IPPROTO_TCP, unix.IPPROTO_UDP))
}
