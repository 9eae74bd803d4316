package config

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// A Domain is one entry of executor.network.allowed_domains or blocked_domains: a name,
// a wildcard (*.example.com), any name (*) or an IP address, with or without a port.
type Domain struct {
	// Host is what the entry names. For *.example.com it is example.com, for * it is empty.
	Host Host
	// Wildcard entries cover every name below Host, at any depth, and not Host itself.
	Wildcard bool
	// Port is the only port the entry is about. If zero: 80 and 443 where the entry
	// allows, every port where it blocks.
	Port uint16
}

// A Host is a name or an address in the one spelling by which hosts are compared.
type Host struct {
	// Name is in lower-case ASCII, without a trailing dot; empty for an address.
	Name string
	// Addr is valid for an IP address; an IPv4 address in IPv6 is the IPv4 address.
	Addr netip.Addr
}

// String gives what stands before the port in a URL.
func (h Host) String() string {
	switch {
	case !h.Addr.IsValid():
		return h.Name
	case h.Addr.Is6():
		return "[" + h.Addr.String() + "]"
	default:
		return h.Addr.String()
	}
}

// ParseHost reads a host as it stands in a URL or, without brackets, anywhere else. An
// international name becomes its ASCII form. What only some resolvers take for an
// address (0x7f.1, 2130706433) is refused, so that nothing is a name to the check and an
// address to the connection.
func ParseHost(text string) (Host, error) {
	bare := text
	if inner, ok := strings.CutPrefix(text, "["); ok {
		if bare, ok = strings.CutSuffix(inner, "]"); !ok {
			return Host{}, errors.New("has a [ without its ]")
		}
	}
	if addr, err := netip.ParseAddr(bare); err == nil {
		if addr.Zone() != "" {
			return Host{}, errors.New("has a zone, which means something on one machine only")
		}
		return Host{Addr: addr.Unmap()}, nil
	}
	if bare != text || strings.Contains(text, ":") {
		return Host{}, errors.New("is not an IPv6 address")
	}
	name, err := asciiName(text)
	if err != nil {
		return Host{}, err
	}
	return Host{Name: name}, nil
}

func asciiName(text string) (string, error) {
	name := strings.ToLower(text)
	if strings.ContainsFunc(text, func(r rune) bool { return r >= 0x80 }) {
		var err error
		if name, err = idna.Lookup.ToASCII(text); err != nil {
			return "", errors.New("is not an international domain name")
		}
	}
	name = strings.TrimSuffix(name, ".")
	if name == "" || len(name) > 253 {
		return "", errors.New("is not a domain name: it must have 1 to 253 characters")
	}
	labels := strings.Split(name, ".")
	for _, label := range labels {
		wrong := func(r rune) bool { return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789-_", r) }
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' || strings.ContainsFunc(label, wrong) {
			return "", errors.New("is not a domain name: write one such as example.com, without scheme and path")
		}
	}
	last := labels[len(labels)-1]
	if _, err := strconv.ParseUint(strings.TrimPrefix(last, "0x"), 16, 64); last == "0x" || err == nil && (last[0] >= '0' && last[0] <= '9') {
		if strings.HasPrefix(last, "0x") || !strings.ContainsAny(last, "abcdef") {
			return "", errors.New("is neither a domain name nor an IP address as it is usually written")
		}
	}
	return name, nil
}

// ParseDomain reads an entry. Its errors continue a sentence that begins with the text.
func ParseDomain(text string) (Domain, error) {
	var d Domain
	if strings.Contains(text, "/") {
		return d, errors.New("is not a domain name: write one such as example.com, without scheme and path")
	}
	rest := text
	// One colon, or a bracket before it, is a port; more of them are an IPv6 address.
	if i := strings.LastIndexByte(rest, ':'); i >= 0 && (strings.Count(rest, ":") == 1 || strings.HasSuffix(rest[:i], "]")) {
		port, err := strconv.ParseUint(rest[i+1:], 10, 16)
		if err != nil || port == 0 || rest[i+1] == '0' {
			return d, errors.New("has no port from 1 to 65535 behind its colon")
		}
		d.Port, rest = uint16(port), rest[:i]
	}
	if rest == "*" {
		d.Wildcard = true
		return d, nil
	}
	rest, d.Wildcard = strings.CutPrefix(rest, "*.")
	if strings.Contains(rest, "*") {
		return Domain{}, errors.New("has a * that is not its first part: write *.example.com, or * for every name")
	}
	host, err := ParseHost(rest)
	switch {
	case err != nil:
		return Domain{}, err
	case d.Wildcard && host.Addr.IsValid():
		return Domain{}, errors.New("has a wildcard before an address")
	}
	d.Host = host
	return d, nil
}

// String gives the entry in its one spelling, which ParseDomain reads back.
func (d Domain) String() string {
	text := d.Host.String()
	switch {
	case d.Wildcard && text == "":
		text = "*"
	case d.Wildcard:
		text = "*." + text
	}
	if d.Port != 0 {
		return text + ":" + strconv.Itoa(int(d.Port))
	}
	if d.Host.Addr.Is6() {
		return d.Host.Addr.String()
	}
	return text
}

// Covers says whether the entry is about the host, whatever the port. Addresses are
// covered only by themselves.
func (d Domain) Covers(h Host) bool {
	switch {
	case !d.Wildcard:
		return d.Host == h
	case h.Addr.IsValid():
		return false
	default:
		return d.Host.Name == "" || strings.HasSuffix(h.Name, "."+d.Host.Name)
	}
}

// maxDomains bounds each list; every connection looks at all of it.
const maxDomains = 1000

// domains is a list of entries.
func domains(at func(*Config) *[]string) value {
	setList := func(c *Config, items []string) error {
		if len(items) > maxDomains {
			return fmt.Errorf("has %d entries; the limit is %d", len(items), maxDomains)
		}
		var got []string
		for _, item := range items {
			d, err := ParseDomain(item)
			if err != nil {
				return fmt.Errorf("has %s, which %w", quote(item), err)
			}
			if !slices.Contains(got, d.String()) {
				got = append(got, d.String())
			}
		}
		*at(c) = got
		return nil
	}
	text := func(c *Config) string { return "[" + strings.Join(*at(c), ", ") + "]" }
	return value{
		unit: "list", accepts: "a list such as [example.com, *.example.org, api.example.net:8443]",
		setList: setList, text: text,
		recheck: func(scratch, from *Config) error {
			if err := setList(scratch, *at(from)); err != nil {
				return fmt.Errorf("%s %w", cite(text(from)), err)
			}
			return nil
		},
	}
}

// networkContradictions are keys of executor.network that do not go together.
func networkContradictions(n Network) []*Problem {
	var message string
	switch n.Mode {
	case NetworkAll:
		message = "nothing filters what programs connect to in mode all: use mode restricted, with * in allowed_domains for every name"
	case NetworkNone:
		message = "has no effect in executor.network.mode none, which is the default: set that to restricted, or remove the list"
	default:
		return nil
	}
	var found []*Problem
	refuse := func(name string, list []string) {
		if len(list) > 0 {
			found = append(found, &Problem{Key: "executor.network." + name, Message: message})
		}
	}
	refuse("allowed_domains", n.AllowedDomains)
	refuse("blocked_domains", n.BlockedDomains)
	return found
}
