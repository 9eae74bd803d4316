package egress

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/codemode-sdk/codemode/config"
)

// A refusal is why a request is not served, in the words that the program sees.
type refusal struct {
	status  int
	verdict string // the word for it in the log
	message string // one line of ASCII
}

func (r *refusal) Error() string { return r.message }

func malformed(message string) error {
	return &refusal{http.StatusBadRequest, "malformed", message}
}

// A target is where a request wants to go.
type target struct {
	host config.Host
	port uint16
}

func (t target) String() string { return t.host.String() + ":" + strconv.Itoa(int(t.port)) }

// targetOf reads the target from a request, whose Host header counts for nothing.
func targetOf(r *http.Request) (target, error) {
	var authority string
	var port uint64
	switch {
	case r.Method == http.MethodConnect:
		if r.ContentLength != 0 || len(r.TransferEncoding) > 0 {
			return target{}, malformed("CONNECT with a body")
		}
		authority = r.RequestURI
	case r.URL.Scheme == "http" && r.URL.Host != "" && r.URL.Opaque == "":
		authority, port = r.URL.Host, 80
	case r.URL.Scheme == "":
		return target{}, malformed("this is a proxy: it takes CONNECT, and requests with an absolute http:// URI")
	default:
		return target{}, malformed("this proxy forwards http://; for https:// it takes CONNECT")
	}
	text := authority
	if i := strings.LastIndexByte(authority, ':'); i >= 0 && !strings.HasSuffix(authority, "]") {
		var err error
		port, err = strconv.ParseUint(authority[i+1:], 10, 16)
		if err != nil || authority[i+1] < '0' || authority[i+1] > '9' {
			return target{}, malformed("the target has no port from 1 to 65535")
		}
		text = authority[:i]
	}
	if port == 0 {
		return target{}, malformed("the target has no port")
	}
	if strings.Contains(text, ":") && !strings.HasPrefix(text, "[") {
		return target{}, malformed("the target is an IPv6 address without brackets")
	}
	host, err := config.ParseHost(text)
	if err != nil {
		return target{}, malformed("the target's host " + err.Error())
	}
	return target{host, uint16(port)}, nil
}

// check holds a target to the lists.
func (p *Proxy) check(t target) error {
	covers := func(d config.Domain) bool { return d.Covers(t.host) }
	for _, d := range p.blocked {
		if covers(d) && (d.Port == 0 || d.Port == t.port) {
			return &refusal{http.StatusForbidden, "blocked", t.String() + " is in network.blocked_domains"}
		}
	}
	allowed := slices.ContainsFunc(p.allowed, func(d config.Domain) bool {
		return covers(d) && (d.Port == t.port || d.Port == 0 && (t.port == 80 || t.port == 443))
	})
	switch {
	case allowed:
		return nil
	case slices.ContainsFunc(p.allowed, covers):
		return &refusal{http.StatusForbidden, "port_not_allowed",
			t.host.String() + " is in network.allowed_domains, but not its port " + strconv.Itoa(int(t.port))}
	default:
		return &refusal{http.StatusForbidden, "not_allowed", t.String() + " is not in network.allowed_domains"}
	}
}

// checkAddress holds an address of the target to what may be connected to.
func (p *Proxy) checkAddress(t target, addr netip.Addr) error {
	r, what := reachOf(addr)
	if r == public && ownAddress(addr) {
		r, what = private, "an address of the executor's machine"
	}
	switch {
	case r == public,
		r == private && p.options.AllowPrivate,
		r == listed && p.options.AllowPrivate && t.host.Addr == addr.Unmap():
		return nil
	}
	return &refusal{http.StatusForbidden, "address_refused", t.host.String() + " leads to " + what}
}

// maxAddresses bounds how many of a name's addresses are tried.
const maxAddresses = 8

// connect resolves a target that may be connected to, checks every address and connects
// to one of those that it has checked.
func (p *Proxy) connect(ctx context.Context, t target) (net.Conn, netip.Addr, error) {
	ctx, cancel := context.WithTimeout(ctx, p.options.Timeouts.Connect)
	defer cancel()
	found := []netip.Addr{t.host.Addr}
	if t.host.Name != "" {
		var err error
		found, err = p.options.Lookup(ctx, t.host.Name)
		if err != nil || len(found) == 0 {
			return nil, netip.Addr{}, &refusal{http.StatusBadGateway, "no_such_name", t.host.String() + " cannot be resolved"}
		}
	}
	var refused error
	var last netip.Addr
	for i, addr := range found[:min(len(found), maxAddresses)] {
		addr = addr.Unmap()
		if err := p.checkAddress(t, addr); err != nil {
			if refused == nil {
				refused, last = err, addr
			}
			continue
		}
		deadline, _ := ctx.Deadline()
		// The addresses that are left share the time that is left.
		try, stop := context.WithDeadline(ctx, shareOf(deadline, len(found)-i))
		conn, err := p.options.Dial(try, netip.AddrPortFrom(addr, t.port))
		stop()
		if err == nil {
			return conn, addr, nil
		}
		last = addr
		refused = &refusal{http.StatusBadGateway, "unreachable", t.String() + " cannot be reached: " + reason(err)}
		if ctx.Err() != nil {
			refused = &refusal{http.StatusGatewayTimeout, "unreachable", t.String() + " did not answer in time"}
			break
		}
	}
	return nil, last, refused
}

// reason is the end of an error's text, without addresses: which of a private network's
// addresses a name has is nothing that a program is told.
func reason(err error) string {
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return "no answer in time"
	}
	for unwrapped := errors.Unwrap(err); unwrapped != nil; unwrapped = errors.Unwrap(err) {
		err = unwrapped
	}
	return err.Error()
}
