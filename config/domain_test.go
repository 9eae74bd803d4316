package config_test

import (
	"testing"

	"github.com/codemode-sdk/codemode/config"
)

// An entry that is read otherwise than it was meant opens a host, or shuts the wrong one.
func TestEntriesHaveOneSpelling(t *testing.T) {
	for text, want := range map[string]string{
		"example.com": "example.com", "EXAMPLE.com.": "example.com", "*.Example.com": "*.example.com",
		"*": "*", "*:8443": "*:8443", "api.example.com:8443": "api.example.com:8443",
		"bücher.example": "xn--bcher-kva.example", "r3---sn-x.example.com": "r3---sn-x.example.com",
		"my_service": "my_service", "localhost:8000": "localhost:8000", "192.0.2.1": "192.0.2.1",
		"192.0.2.1:81": "192.0.2.1:81", "2001:DB8::1": "2001:db8::1", "[2001:db8::1]": "2001:db8::1",
		"[2001:db8::1]:81": "[2001:db8::1]:81", "::ffff:192.0.2.1": "192.0.2.1", "a.b.cafe": "a.b.cafe",
		"1.example": "1.example", "a.1b": "a.1b",
	} {
		d, err := config.ParseDomain(text)
		if err != nil || d.String() != want {
			t.Errorf("%q: %q, %v; want %q", text, d, err, want)
			continue
		}
		if again, err := config.ParseDomain(d.String()); err != nil || again != d {
			t.Errorf("%q: read back as %v, %v", d, again, err)
		}
	}
	for _, text := range []string{
		"", ".", "*.", "a..b", "https://example.com", "example.com/path", "a b", "a\r\nb", "-a.com", "a-.com",
		"*.*.com", "a.*.com", "a*.com", "*.192.0.2.1", "example.com:0", "example.com:", "example.com:99999",
		"example.com:080", "example.com:+80", "0x7f.1", "2130706433", "127.1", "0177.0.0.1", "1.2.3.4.5", "a.0x7f", "a.0x",
		"fe80::1%eth0", "[::1", "::1]", "[example.com]", "a\x00b", "ex%61mple.com", "user@example.com", "b\u00fccher .example",
	} {
		if d, err := config.ParseDomain(text); err == nil {
			t.Errorf("%q is read as %q", text, d)
		}
	}
}

func TestWildcardsCoverWhatIsBelowThem(t *testing.T) {
	tests := []struct {
		entry, host string
		want        bool
	}{
		{"example.com", "example.com", true},
		{"example.com", "EXAMPLE.COM.", true},
		{"example.com", "www.example.com", false},
		{"example.com", "notexample.com", false},
		{"*.example.com", "www.example.com", true},
		{"*.example.com", "a.b.example.com", true},
		{"*.example.com", "example.com", false},
		{"*.example.com", "notexample.com", false},
		{"*.example.com", "example.com.evil.net", false},
		{"*", "anything.example", true},
		{"*", "192.0.2.1", false},
		{"*", "::1", false},
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "::ffff:192.0.2.1", true},
		{"bücher.example", "xn--bcher-kva.example", true},
		{"bücher.example", "BÜCHER.example", true},
	}
	for _, tt := range tests {
		d, err := config.ParseDomain(tt.entry)
		if err != nil {
			t.Fatal(err)
		}
		h, err := config.ParseHost(tt.host)
		if err != nil {
			t.Fatal(err)
		}
		if got := d.Covers(h); got != tt.want {
			t.Errorf("%s covers %s: %v", tt.entry, tt.host, got)
		}
	}
}

func FuzzDomain(f *testing.F) {
	for _, seed := range []string{"*.example.com:81", "[::1]:80", "bücher.example", "0x7f.1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := config.ParseDomain(text)
		if err != nil {
			return
		}
		if again, err := config.ParseDomain(d.String()); err != nil || again != d {
			t.Errorf("%q is %q, which is read as %q, %v", text, d, again, err)
		}
	})
}
