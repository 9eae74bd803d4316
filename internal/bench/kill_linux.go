package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/codemode-sdk/codemode/executorclient"
)

// measureKills times from the death of a fork server, with 8 programs on it, until the
// pool is full again.
func (b *bench) measureKills(ctx context.Context) error {
	var full sample
	for range max(b.Runs/30, 5) {
		if err := b.rest(ctx); err != nil {
			return err
		}
		took, err := b.killOne(ctx)
		if err != nil {
			return err
		}
		full = append(full, took)
	}
	again := b.addTimes("fork server killed until the pool is full", full)
	b.ratio("pool full after a kill, p99", "1 s", again.P99, 1000, 1, false)
	return nil
}

func (b *bench) killOne(ctx context.Context) (time.Duration, error) {
	var runs, begun sync.WaitGroup
	var mu sync.Mutex
	var failure error
	for range 8 {
		begun.Add(1)
		runs.Go(func() {
			var once sync.Once
			defer once.Do(begun.Done)
			result, err := b.Execute(ctx, executorclient.Request{
				Code:    "import time\nprint(1, flush=True)\ntime.sleep(60)",
				OnEvent: func(executorclient.Event) { once.Do(begun.Done) },
			})
			if err != nil || result.Status != executorclient.Killed {
				mu.Lock()
				failure = errors.Join(failure, fmt.Errorf("a run whose fork server was killed ended with %s: %w", result.Status, err))
				mu.Unlock()
			}
		})
	}
	begun.Wait()
	all, err := descendants()
	if err != nil {
		return 0, err
	}
	before := forkServers(all)
	killed := time.Now()
	for _, pid := range before {
		if err := unix.Kill(pid, unix.SIGKILL); err != nil {
			return 0, err
		}
	}
	for {
		if all, err = descendants(); err != nil {
			return 0, err
		}
		now := forkServers(all)
		fresh := len(now) == len(before) && !slices.ContainsFunc(now, func(pid int) bool { return slices.Contains(before, pid) })
		if fresh && b.server.Stats().Ready >= b.ready {
			break
		}
		if time.Since(killed) > restful {
			return 0, errRestless
		}
		time.Sleep(2 * time.Millisecond)
	}
	took := time.Since(killed)
	runs.Wait()
	return took, failure
}
