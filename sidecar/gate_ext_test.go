//go:build linux

package sidecar_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/executorclient"
	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/registry"
)

// A client that asks for far more than there is keeps nobody else out: it runs no more at
// once than it may, what is too much is refused, and the other client's runs all happen.
func TestAGreedyClientDoesNotKeepOthersOut(t *testing.T) {
	besideOthers(t)
	e := start(t, func(c *config.SidecarConfig) {
		c.APIKeys = []config.Secret{config.NewSecret("greedy-key"), config.NewSecret("modest-key")}
		c.Pool.MinReady, c.Pool.MaxWorkers, c.Pool.MaxPerClient, c.Pool.Queue, c.Pool.QueueTimeout = 2, 3, 2, 4, time.Minute
	})
	address := "http://" + listen(t, e)
	as := func(key string) *executorclient.Client {
		return dial(t, executorclient.Options{Address: address, APIKey: key})
	}
	var running, most atomic.Int64
	tools := registry.New()
	registry.Func(tools, "work", "", func(ctx context.Context, _ struct{}) (bool, error) {
		for now := running.Add(1); ; {
			if old := most.Load(); now <= old || most.CompareAndSwap(old, now) {
				break
			}
		}
		defer running.Add(-1)
		select {
		case <-time.After(20 * time.Millisecond):
			return true, nil
		case <-ctx.Done():
			return false, ctx.Err()
		}
	})
	ctx, stop := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	var ran, refused atomic.Int64
	greedy := as("greedy-key")
	for range 12 {
		clients.Go(func() {
			for ctx.Err() == nil {
				got, err := greedy.Execute(ctx, executorclient.Request{Code: "tools.work()", Tools: tools})
				switch {
				case ctx.Err() != nil:
				case err == nil && got.Status == executorclient.OK:
					ran.Add(1)
				case fault.CodeOf(err) == fault.Rejected && !started(err):
					refused.Add(1)
					time.Sleep(20 * time.Millisecond)
				default:
					t.Errorf("%s: %v", got.Status, err)
					return
				}
			}
		})
	}
	for deadline := time.Now().Add(time.Minute); refused.Load() == 0 || ran.Load() == 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("in a minute no run of the greedy client was refused, or none happened")
		}
	}
	modest := as("modest-key")
	for range 5 {
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				got, err := modest.Execute(t.Context(), executorclient.Request{Code: "6 * 7"})
				if err != nil || got.Value != int64(42) {
					t.Errorf("%v %v", got.Value, err)
				}
			})
		}
		both.Wait()
	}
	stop()
	clients.Wait()
	if most.Load() != 2 {
		t.Errorf("%d programs of one client ran at once; it may run 2, and asked for 12", most.Load())
	}
}

func started(err error) bool {
	failure, ok := errors.AsType[*fault.Error](err)
	return ok && failure.Started
}
