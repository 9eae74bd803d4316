package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"
)

// measureMemory measures what an idle executor holds: each worker that waits for a program
// of its own, and all of it together.
func (b *bench) measureMemory(ctx context.Context) error {
	if err := b.rest(ctx); err != nil {
		return err
	}
	all, err := descendants()
	if err != nil {
		return err
	}
	servers := forkServers(all)
	isParent := map[int]bool{}
	for _, p := range all {
		isParent[p.parent] = true
	}
	var own []int64
	var warm int64
	for _, p := range all {
		if p.zombie || isParent[p.pid] && !slices.Contains(servers, p.pid) { // a keeper, which is no worker
			continue
		}
		got, err := memoryOf(p.pid)
		if errors.Is(err, os.ErrPermission) {
			b.skip("memory of an idle worker: only root may read it here")
			return nil
		}
		if ended(err) {
			continue
		}
		if err != nil {
			return err
		}
		if slices.Contains(servers, p.pid) {
			warm += got.proportional
		} else if got.own > 0 {
			own = append(own, got.own)
		}
	}
	if len(own) == 0 {
		b.skip("memory of an idle worker: pool.min_ready is 0, so none waits")
		return nil
	}
	slices.Sort(own)
	middle := own[len(own)/2]
	b.add(Figure{Name: "memory of its own, an idle ready worker", Bytes: middle, Count: len(own)})
	b.add(Figure{Name: "memory of the fork servers, shared parts shared", Bytes: warm, Count: len(servers)})
	b.ratio("memory of an idle ready worker", "4 MiB", float64(middle), 4<<20, 1, false)
	return nil
}

// restful is how long an executor may take to come to rest, on a machine that is busy.
const restful = 2 * time.Minute

var errRestless = errors.New("the executor did not come to rest within 2 minutes: " +
	"the workers that it keeps ready were not there, or others had not ended")

// rest waits until nothing runs or is in the making, the pool is full and no bigger than
// that, and whatever ended has ended.
func (e *executor) rest(ctx context.Context) error {
	deadline := time.Now().Add(restful)
	still, last := 0, 0
	for still < 5 {
		stats := e.server.Stats()
		all, err := descendants()
		if err != nil {
			return err
		}
		if stats.Running+stats.Starting+stats.Queued == 0 && stats.Ready == e.ready && len(all) == last {
			still++
		} else {
			still = 0
		}
		last = len(all)
		if time.Now().After(deadline) {
			return fmt.Errorf("%w (%+v; %d ready are wanted, and there are %d processes)", errRestless, stats, e.ready, len(all))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}
