package egress

import (
	"net/netip"
	"testing"
)

// Every spelling of an inside address that is taken for an outside one is a way in.
func TestAddressesAreWhatTheyLeadTo(t *testing.T) {
	for text, want := range map[string]reach{
		"8.8.8.8": public, "1.1.1.1": public, "2606:4700::1111": public, "::ffff:8.8.8.8": public,
		"64:ff9b::8.8.8.8": public, "2002:808:808::1": public,

		"127.0.0.1": private, "127.255.255.254": private, "::1": private, "::ffff:127.0.0.1": private,
		"10.0.0.1": private, "172.16.0.1": private, "172.31.255.255": private, "192.168.1.1": private,
		"100.64.0.1": private, "100.127.255.255": private, "fc00::1": private, "fd12:3456::1": private,
		"198.18.0.1": private, "64:ff9b:1::1": private, "64:ff9b::10.0.0.1": private, "64:ff9b::127.0.0.1": private,
		"2002:7f00:1::": private, "2002:a00:1::1": private, "2002:c0a8:101::1": private,
		"2001:4860::5efe:10.0.0.1": private, "2001:4860::200:5efe:10.0.0.1": private,

		"169.254.169.254": listed, "169.254.0.1": listed, "::ffff:169.254.169.254": listed,
		"64:ff9b::169.254.169.254": listed, "2002:a9fe:a9fe::": listed, "fe80::1": listed,
		"fd00:ec2::254": listed, "100.100.100.200": listed, "168.63.129.16": listed, "fec0::1": listed,

		"0.0.0.0": never, "0.1.2.3": never, "::": never, "224.0.0.1": never, "239.255.255.250": never,
		"255.255.255.255": never, "240.0.0.1": never, "ff02::1": never, "192.0.2.1": never, "203.0.113.9": never,
		"2001:db8::1": never, "2001::1": never, "::8.8.8.8": never, "::127.0.0.1": never, "100::1": never,
		"5f00::1": never, "fe80::1%eth0": never, "64:ff9b::0.0.0.0": never, "192.88.99.1": never,
	} {
		if got, what := reachOf(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: %d (%s), want %d", text, got, what, want)
		}
	}
	if got, _ := reachOf(netip.Addr{}); got != never {
		t.Errorf("no address: %d", got)
	}
	if ownAddress(netip.MustParseAddr("8.8.8.8")) || !ownAddress(netip.MustParseAddr("127.0.0.1")) {
		t.Error("the machine's own addresses are not known")
	}
}
