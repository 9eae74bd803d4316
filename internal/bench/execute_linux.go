package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

func (b *bench) measureExecutions(ctx context.Context) error {
	back, err := measure(b.Runs, func() error { return b.one(ctx) })
	if err != nil {
		return err
	}
	backToBack := b.addTimes("Execute(\"1+1\"), back to back", back)
	b.ratio("Execute, back to back", "fork", backToBack.P50, b.fork.P50, 1.2, false)
	for _, callers := range []int{1, 2, 8, 32} {
		rate, err := b.throughput(ctx, fmt.Sprintf("Execute(\"1+1\"), %d in flight", callers), callers)
		if err != nil {
			return err
		}
		if callers == 8 {
			b.rate8 = rate
		}
	}
	b.ratio("Execute per second, 8 in flight", "forks per second", b.rate8, b.forksPerSecond, 0.7, true)
	open, err := b.openLoop(ctx, b.rate8/3)
	if err != nil {
		return err
	}
	openLoop := b.addTimes("Execute(\"1+1\"), open loop at a third", open)
	b.openP50 = openLoop.P50
	b.ratio("Execute, open loop", "fork", openLoop.P50, b.fork.P50, 0.3, false)
	bare, err := executionFloor(ctx, b.python, 2*b.Runs, b.rate8/3)
	if err != nil {
		return err
	}
	path := b.addTimes("floor: the bare path of an execution, open loop", bare)
	b.compare("Execute, open loop", "its bare path", openLoop.P50, path.P50)
	b.compare("the bare path of an execution", "fork", path.P50, b.fork.P50)
	return nil
}

// throughput gives executions per second with so many callers, each one after another,
// and reports it beside how long each took.
func (b *bench) throughput(ctx context.Context, name string, callers int) (float64, error) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var failure error
	var all sample
	each := max(1, 2*b.Runs/callers)
	begun := time.Now()
	for range callers {
		wg.Go(func() {
			var got sample
			for range each {
				begun := time.Now()
				if err := b.one(ctx); err != nil {
					mu.Lock()
					failure = errors.Join(failure, err)
					mu.Unlock()
					return
				}
				got = append(got, time.Since(begun))
			}
			mu.Lock()
			all = append(all, got...)
			mu.Unlock()
		})
	}
	wg.Wait()
	rate := float64(callers*each) / time.Since(begun).Seconds()
	if failure == nil {
		b.add(Figure{
			Name: name, P50: milliseconds(all.at(0.5)), P99: milliseconds(all.at(0.99)), PerSecond: rate, Count: len(all),
		})
	}
	return rate, failure
}

// openLoop sends executions at random moments, perSecond on average, whether or not the
// ones before have come back: that is how requests arrive.
func (b *bench) openLoop(ctx context.Context, perSecond float64) (sample, error) {
	return arrivals(2*b.Runs, perSecond, func() error { return b.one(ctx) })
}

// arrivals times do, which begins count times at random moments, perSecond on average.
func arrivals(count int, perSecond float64, do func() error) (sample, error) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var failure error
	var got sample
	next := time.Now()
	gaps := rand.New(rand.NewPCG(1, 2)) // the same arrivals in every run
	for range count {
		next = next.Add(time.Duration(gaps.ExpFloat64() / perSecond * float64(time.Second)))
		time.Sleep(time.Until(next))
		wg.Go(func() {
			begun := time.Now()
			err := do()
			took := time.Since(begun)
			mu.Lock()
			defer mu.Unlock()
			got = append(got, took)
			if err != nil {
				failure = err
			}
		})
	}
	wg.Wait()
	return got, failure
}
