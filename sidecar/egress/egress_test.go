package egress_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/codemode-sdk/codemode/sidecar/egress"
)

func TestAnAllowedHostIsReachedByHTTP(t *testing.T) {
	w := newWorld(t, serve(t, echo), nil)
	request, err := http.NewRequest(http.MethodPost, "http://EXAMPLE.com./a%2fb?q=1;x=%zz", strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Proxy-Authorization", "Basic x")
	response, err := w.client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if want := `POST /a%2fb?q=1;x=%zz host=example.com body=hello auth="" forwarded="" err=<nil>`; string(body) != want {
		t.Errorf("%s, want %s", body, want)
	}
	if _, dialed := w.visited(); !slices.Equal(dialed, []string{site + ":80"}) {
		t.Errorf("dialed %q", dialed)
	}
	if !w.log.has("execution=x1", "target=example.com:80", "address="+site, "verdict=allowed", "method=POST") {
		t.Errorf("the log has no such line:\n%s", w.log)
	}
}

func TestAnAllowedHostIsReachedByHTTPS(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(echo))
	defer s.Close()
	w := newWorld(t, s.Listener.Addr().String(), nil)
	for _, address := range []string{"https://example.com/x", "https://a.b.example.org/x", "https://other.example:8443/x"} {
		if status, body := get(t, w.client(), address); status != 200 || !strings.HasPrefix(body, "GET /x") {
			t.Errorf("%s: %d %s", address, status, body)
		}
	}
	w.run.Close()
	for _, target := range []string{"example.com:443", "a.b.example.org:443", "other.example:8443"} {
		if !w.log.has("method=CONNECT", "target="+target, "verdict=allowed") {
			t.Errorf("no line about %s in\n%s", target, w.log)
		}
	}
	if w.log.hasNow("sent=0", "verdict=allowed") {
		t.Errorf("the log:\n%s", w.log)
	}
}

func TestAnythingElseIsRefusedBeforeItIsLookedUp(t *testing.T) {
	w := newWorld(t, serve(t, echo), nil)
	for _, host := range []string{
		"evil.net", "notexample.com", "www.example.com", "example.org", "secret.example.org", "SECRET.example.org.",
		"example.com.evil.net", "other.example", "other.example:443", "example.com:22", "example.com:8443",
		site, "[2606:4700::1111]", "127.0.0.1", "localhost", "169.254.169.254", "[::ffff:169.254.169.254]",
	} {
		if status, body := get(t, w.client(), "http://"+host+"/"); status != http.StatusForbidden || !strings.Contains(body, "network.") {
			t.Errorf("%s: %d %s", host, status, body)
		}
		if !strings.Contains(host, ":") {
			host += ":443"
		}
		if _, err := w.client().Get("https://" + host + "/"); err == nil || !strings.Contains(err.Error(), "network policy") {
			t.Errorf("https %s: %v", host, err)
		}
	}
	if looked, dialed := w.visited(); len(looked)+len(dialed) > 0 {
		t.Errorf("looked up %q, dialed %q", looked, dialed)
	}
	if !w.log.has("target=evil.net:80", "verdict=not_allowed") || !w.log.has("secret.example.org", "verdict=blocked") || !w.log.has("verdict=port_not_allowed") {
		t.Errorf("the log:\n%s", w.log)
	}
}

func TestAStarIsEveryNameAndNoAddress(t *testing.T) {
	w := newWorld(t, serve(t, echo), func(o *egress.Options) { o.Allowed = []string{"*"} })
	if status, _ := get(t, w.client(), "http://anything.example/"); status != 200 {
		t.Errorf("a name: %d", status)
	}
	for _, host := range []string{"8.8.8.8", "134744072", "0x8080808", "8.8.2056", "[::1]", "127.0.0.1"} {
		if status, _ := get(t, w.client(), "http://"+host+"/"); status == 200 {
			t.Errorf("%s was reached", host)
		}
	}
}

// An allowed name whose owner points it inside must not open what is inside.
func TestNamesThatLeadInsideAreRefused(t *testing.T) {
	inside := []string{
		"127.0.0.1", "10.0.0.1", "192.168.0.1", "172.16.9.9", "169.254.169.254", "100.64.1.1", "0.0.0.0", "::1", "::",
		"fe80::1", "fd00::1", "fd00:ec2::254", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "224.0.0.1",
	}
	w := newWorld(t, serve(t, echo), nil)
	for _, addr := range inside {
		w.names["example.com"] = [][]string{{addr}}
		if status, body := get(t, w.client(), "http://example.com/"); status != 403 || strings.Contains(body, addr) {
			t.Errorf("%s: %d %s", addr, status, body)
		}
	}
	if _, dialed := w.visited(); len(dialed) > 0 {
		t.Errorf("dialed %q", dialed)
	}
	if !w.log.has("address=169.254.169.254", "verdict=address_refused") {
		t.Errorf("the log:\n%s", w.log)
	}
	// Of several, the others count.
	w.names["example.com"] = [][]string{{"10.0.0.1", site, "::1"}}
	if status, _ := get(t, w.client(), "http://example.com/"); status != 200 {
		t.Errorf("a name with one outside address: %d", status)
	}
	if _, dialed := w.visited(); !slices.Equal(dialed, []string{site + ":80"}) {
		t.Errorf("dialed %q", dialed)
	}
}

// The second answer of a rebinding name server is never asked for.
func TestRebindingHasNoSecondLookup(t *testing.T) {
	w := newWorld(t, serve(t, echo), nil)
	w.names["example.com"] = [][]string{{site}, {"127.0.0.1"}}
	if status, _ := get(t, w.client(), "http://example.com/"); status != 200 {
		t.Errorf("the first time: %d", status)
	}
	if looked, dialed := w.visited(); len(looked) != 1 || !slices.Equal(dialed, []string{site + ":80"}) {
		t.Errorf("looked up %q, dialed %q", looked, dialed)
	}
	if status, _ := get(t, w.client(), "http://example.com/"); status != 403 {
		t.Errorf("the second time: %d", status)
	}
}

func TestPrivateAddressesOpenOnlyWhenAsked(t *testing.T) {
	w := newWorld(t, serve(t, echo), func(o *egress.Options) {
		o.AllowPrivate = true
		o.Allowed = append(o.Allowed, "10.1.1.1", "169.254.7.7")
	})
	for addr, want := range map[string]int{
		"10.0.0.1": 200, "127.0.0.1": 200, "::1": 200, "fd00::1": 200,
		"169.254.169.254": 403, "169.254.7.7": 403, "fd00:ec2::254": 403, "fe80::1": 403, "0.0.0.0": 403, "224.0.0.1": 403,
	} {
		w.names["example.com"] = [][]string{{addr}}
		if status, body := get(t, w.client(), "http://example.com/"); status != want {
			t.Errorf("%s: %d %s, want %d", addr, status, body, want)
		}
	}
	for host, want := range map[string]int{"10.1.1.1": 200, "10.1.1.2": 403, "169.254.7.7": 200, "169.254.169.254": 403} {
		if status, body := get(t, w.client(), "http://"+host+"/"); status != want {
			t.Errorf("%s: %d %s, want %d", host, status, body, want)
		}
	}
}

// A redirect is the client's to follow, and comes back here.
func TestARedirectToMetadataIsRefused(t *testing.T) {
	for _, private := range []bool{false, true} {
		w := newWorld(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/latest/meta-data/", http.StatusFound)
		}), func(o *egress.Options) { o.AllowPrivate = private })
		if status, body := get(t, w.client(), "http://example.com/"); status != 403 || !strings.Contains(body, "169.254.169.254:80") {
			t.Errorf("%d %s", status, body)
		}
	}
}
