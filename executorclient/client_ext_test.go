package executorclient_test

import (
	"context"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/codemode-sdk/codemode/executorclient"
	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/internal/nametest"
	"github.com/codemode-sdk/codemode/internal/waittest"
)

func dial(t *testing.T, address string) *executorclient.Client {
	t.Helper()
	client, err := executorclient.Dial(executorclient.Options{Address: address})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	return client
}

// An address that cannot work is refused before anything is dialled, with the forms
// that can.
func TestAddressesThatCannotWorkAreRefused(t *testing.T) {
	for _, address := range []string{"", "localhost:8001", "ftp://x:1", "tcp://x:1"} {
		_, err := executorclient.Dial(executorclient.Options{Address: address})
		if fault.CodeOf(err) != fault.Invalid || !strings.Contains(err.Error(), "unix:///path") {
			t.Errorf("%q: %v", address, err)
		}
	}
}

// Where nobody listens, the error says so, and that nothing was started.
func TestNobodyThereIsUnavailable(t *testing.T) {
	const address = "127.0.0.1:1" // a port that only root could take, for a protocol of 1988
	for _, address := range []string{"http://" + address, "dns:///" + address, "unix:///nowhere/at/all"} {
		ctx, cancel := context.WithTimeout(t.Context(), waittest.Patience)
		got, err := dial(t, address).Execute(ctx, executorclient.Request{Code: "1"})
		cancel()
		if fault.CodeOf(err) != fault.Unavailable || got.Status != executorclient.Rejected {
			t.Errorf("%s: %s, %v", address, got.Status, err)
		}
		if !strings.Contains(err.Error(), "the executor cannot be reached: dial ") || strings.Contains(err.Error(), "desc =") {
			t.Errorf("not in words: %v", err)
		}
	}
}

// An executor that was away for long is found soon after it is back: there is never much
// time between two attempts to reach it.
func TestAnExecutorThatIsAwayIsLookedForAgainAndAgain(t *testing.T) {
	t.Parallel()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	triesAgainSoon(t, "http://"+listener.Addr().String(), 8, func() {
		connection, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		connection.Close()
	})
}

// A name that is not known yet is asked for again soon: the executor may only just be
// starting.
func TestANameThatIsNotKnownYetIsAskedForAgainAndAgain(t *testing.T) {
	t.Parallel()
	questions := make(chan struct{}, 100)
	server := nametest.Serve(t, func(q dnsmessage.Question) [][4]byte {
		if q.Type == dnsmessage.TypeA && q.Name.String() == "executor.test." {
			questions <- struct{}{}
		}
		return nil
	})
	triesAgainSoon(t, "dns://"+server+"/executor.test:8001", 6, func() { <-questions })
}

// triesAgainSoon has a client try to reach an executor; next waits for an attempt.
func triesAgainSoon(t *testing.T, address string, attempts int, next func()) {
	t.Helper()
	client := dial(t, address)
	done := make(chan error, 1)
	go func() {
		_, err := client.Execute(t.Context(), executorclient.Request{Code: "1"})
		done <- err
	}()
	least := time.Duration(math.MaxInt64)
	var last time.Time
	for i := range attempts {
		next()
		if i >= attempts-2 {
			least = min(least, time.Since(last))
		}
		last = time.Now()
	}
	if least > 3*time.Second {
		t.Errorf("after some attempts, %v and more are between two of them", least)
	}
	if err := <-done; fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("meanwhile a run has the error %v", err)
	}
}

// A name that nobody knows is the address's fault, not that of an executor that is down.
func TestANameThatIsNotKnownIsSaid(t *testing.T) {
	for _, scheme := range []string{"http://", "https://", "dns:///"} {
		ctx, cancel := context.WithTimeout(t.Context(), waittest.Patience)
		_, err := dial(t, scheme+"executor.invalid:8001").Execute(ctx, executorclient.Request{Code: "1"})
		cancel()
		if fault.CodeOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "no address is known for the host") {
			t.Errorf("%s: %v", scheme, err)
		}
	}
}

// A server whose certificate nobody vouches for is not spoken to.
func TestUnknownCertificateIsRefused(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	_, err := dial(t, server.URL).Execute(t.Context(), executorclient.Request{Code: "1"})
	if err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("got %v", err)
	}
}

// What answers but is no executor is told apart from one that is down.
func TestNotAnExecutor(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), waittest.Patience)
	defer cancel()
	got, err := dial(t, server.URL).Execute(ctx, executorclient.Request{Code: "1"})
	if err == nil || got.Status == executorclient.OK || !strings.Contains(err.Error(), "does not speak gRPC") {
		t.Errorf("%s, %v", got.Status, err)
	}
}
