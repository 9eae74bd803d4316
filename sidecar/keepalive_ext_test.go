package sidecar_test

import (
	"sync"
	"testing"
	"time"

	"github.com/codemode-sdk/codemode/executorclient"
	"github.com/codemode-sdk/codemode/internal/stalltest"
	"github.com/codemode-sdk/codemode/sidecar"
)

// A client whose machine is gone, so that nothing comes from it and nothing says so, does
// not keep a worker for ever.
func TestASilentClientLosesItsWorker(t *testing.T) {
	sidecar.NoticeDeadClients(t, time.Second)
	e := start(t, func(c *configOf) { c.Pool.MinReady = 1 })
	proxy := stalltest.Start(t, listen(t, e))
	client, err := executorclient.Dial(executorclient.Options{Address: "http://" + proxy.Address})
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	begun := make(chan struct{})
	running.Go(func() {
		_, err := client.Execute(t.Context(), executorclient.Request{
			Code: "print(1, flush=True)\nimport time\ntime.sleep(60)", OnEvent: func(executorclient.Event) { close(begun) },
		})
		if err == nil {
			t.Error("a run without a connection has an outcome")
		}
	})
	<-begun
	proxy.Stall()
	waitFor(t, func() bool { return e.server.Stats().Running == 0 })
	if err := client.Close(); err != nil {
		t.Error(err)
	}
	running.Wait()
}
