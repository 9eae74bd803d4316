//go:build linux

package sidecar_test

import (
	"testing"
	"time"

	"github.com/codemode-sdk/codemode/executorclient"
	"github.com/codemode-sdk/codemode/internal/stalltest"
	"github.com/codemode-sdk/codemode/internal/waittest"
	"github.com/codemode-sdk/codemode/sidecar"
)

// A client whose machine is gone, so that nothing comes from it and nothing says so, does
// not keep a worker for ever.
func TestASilentClientLosesItsWorker(t *testing.T) {
	// As long as it takes that one which lives is not taken for dead.
	waittest.Longer(t, time.Second, func(silence time.Duration) error { return losesItsWorker(t, silence) })
}

func losesItsWorker(t *testing.T, silence time.Duration) error {
	t.Helper()
	sidecar.NoticeDeadClients(t, silence)
	e := start(t, func(c *configOf) { c.Pool.MinReady = 1 })
	proxy := stalltest.Start(t, listen(t, e))
	client, err := executorclient.Dial(executorclient.Options{Address: "http://" + proxy.Address})
	if err != nil {
		t.Fatal(err)
	}
	begun, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		_, err := client.Execute(t.Context(), executorclient.Request{
			Code: "print(1, flush=True)\nimport time\ntime.sleep(10000)", OnEvent: onFirst(begun),
		})
		ended <- err
	}()
	var early error
	select {
	case <-begun:
		proxy.Stall()
		waitFor(t, func() bool { return e.server.Stats().Running == 0 })
	case early = <-ended:
		ended <- nil
	}
	if err := client.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err == nil && early == nil {
		t.Error("a run without a connection has an outcome")
	}
	return early
}
