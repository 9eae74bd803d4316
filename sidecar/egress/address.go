package egress

import (
	"encoding/binary"
	"net"
	"net/netip"
	"slices"
)

// A reach is what it takes to be connected to an address.
type reach int

const (
	public  reach = iota // nothing: it is of the public internet
	private              // network.allow_private
	listed               // that, and the address itself in network.allowed_domains
	never                // it cannot be a server
)

// reachOf classifies an address, and gives the word for its class. An IPv6 address that
// leads to an IPv4 one (NAT64, 6to4, ISATAP) is what that one is.
func reachOf(addr netip.Addr) (reach, string) {
	addr = addr.Unmap()
	switch {
	case !addr.IsValid() || addr.Zone() != "":
		return never, "an invalid address"
	case slices.Contains(metadata, addr):
		return listed, "the address of a cloud's metadata service"
	case addr.IsUnspecified():
		return never, "the unspecified address"
	case addr.IsLoopback():
		return private, "a loopback address"
	case addr.IsMulticast():
		return never, "a multicast address"
	case addr.IsLinkLocalUnicast():
		return listed, "a link-local address"
	}
	for _, s := range special {
		if s.prefix.Contains(addr) {
			return s.reach, s.what
		}
	}
	if addr.Is4() {
		return public, ""
	}
	if !global.Contains(addr) && !nat64.Contains(addr) {
		return never, "an address outside the public internet"
	}
	if inner, ok := embedded(addr); ok {
		if r, what := reachOf(inner); r != public {
			return r, what + " inside an IPv6 address"
		}
	}
	return public, ""
}

// metadata are the addresses at which clouds hand credentials to their machines.
var metadata = []netip.Addr{
	netip.MustParseAddr("169.254.169.254"),
	netip.MustParseAddr("169.254.170.2"), // AWS, containers
	netip.MustParseAddr("fd00:ec2::254"), // AWS
	netip.MustParseAddr("fd20:ce::254"),  // Google
	netip.MustParseAddr("100.100.100.200"),
	netip.MustParseAddr("168.63.129.16"), // Azure
	netip.MustParseAddr("192.0.0.192"),   // Oracle
}

var global = netip.MustParsePrefix("2000::/3")

// special are the ranges of the IANA special-purpose registries that netip has no
// predicate for.
var special = []struct {
	prefix netip.Prefix
	reach  reach
	what   string
}{
	{netip.MustParsePrefix("0.0.0.0/8"), never, "an address of this network"},
	{netip.MustParsePrefix("10.0.0.0/8"), private, "a private address"},
	{netip.MustParsePrefix("100.64.0.0/10"), private, "a carrier-grade NAT address"},
	{netip.MustParsePrefix("172.16.0.0/12"), private, "a private address"},
	{netip.MustParsePrefix("192.0.0.0/24"), never, "a reserved address"},
	{netip.MustParsePrefix("192.0.2.0/24"), never, "a documentation address"},
	{netip.MustParsePrefix("192.88.99.0/24"), never, "a 6to4 relay"},
	{netip.MustParsePrefix("192.168.0.0/16"), private, "a private address"},
	{netip.MustParsePrefix("198.18.0.0/15"), private, "a benchmarking address"},
	{netip.MustParsePrefix("198.51.100.0/24"), never, "a documentation address"},
	{netip.MustParsePrefix("203.0.113.0/24"), never, "a documentation address"},
	{netip.MustParsePrefix("240.0.0.0/4"), never, "a reserved address"},
	{netip.MustParsePrefix("64:ff9b:1::/48"), private, "a local NAT64 address"},
	{netip.MustParsePrefix("2001::/32"), never, "a Teredo address"},
	{netip.MustParsePrefix("2001:db8::/32"), never, "a documentation address"},
	{netip.MustParsePrefix("3fff::/20"), never, "a documentation address"},
	{netip.MustParsePrefix("fc00::/7"), private, "a private address"},
	{netip.MustParsePrefix("fec0::/10"), listed, "a site-local address"},
}

var (
	nat64     = netip.MustParsePrefix("64:ff9b::/96")
	sixToFour = netip.MustParsePrefix("2002::/16")
)

// embedded gives the IPv4 address that a packet to an IPv6 address may end at.
func embedded(addr netip.Addr) (netip.Addr, bool) {
	b := addr.As16()
	isatap := binary.BigEndian.Uint32(b[8:12])&^0x02000000 == 0x00005efe
	switch {
	case nat64.Contains(addr), isatap:
		return netip.AddrFrom4([4]byte(b[12:16])), true
	case sixToFour.Contains(addr):
		return netip.AddrFrom4([4]byte(b[2:6])), true
	}
	return netip.Addr{}, false
}

// ownAddress says whether an address is one of this machine's: what listens there may
// trust its own machine. If that cannot be told, it is taken for one.
func ownAddress(addr netip.Addr) bool {
	own, err := net.InterfaceAddrs()
	return err != nil || slices.ContainsFunc(own, func(a net.Addr) bool {
		prefix, err := netip.ParsePrefix(a.String())
		return err == nil && prefix.Addr().Unmap() == addr.Unmap()
	})
}
