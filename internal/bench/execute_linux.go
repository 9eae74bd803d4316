package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"time"
)

func (b *bench) measureExecutions(ctx context.Context) error {
	if err := b.takeTurns(ctx); err != nil {
		return err
	}
	for _, callers := range []int{1, 2, 32} {
		took, rate, err := b.throughput(ctx, callers)
		if err != nil {
			return err
		}
		b.addRate(fmt.Sprintf("Execute(\"1+1\"), %d in flight", callers), took, rate)
	}
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
	inside, err := b.embedded()
	if err != nil {
		return err
	}
	within, err := arrivals(2*b.Runs, b.rate8/3, func() error { return inside.one(ctx) })
	if err := errors.Join(err, inside.Client.Close()); err != nil {
		return err
	}
	embedded := b.addTimes("embedded: Execute(\"1+1\"), open loop at a third", within)
	b.compare("embedded: Execute, open loop", "fork", embedded.P50, b.fork.P50)
	return nil
}

// rounds is how often floors and what is held against them take turns.
const rounds = 5

// takeTurns measures forks and executions in turns, and compares them: what a machine that is
// shared with others gives changes from one second to the next.
func (b *bench) takeTurns(ctx context.Context) error {
	var fork, back, took sample
	var forks, executions []float64
	each := max(10, b.Runs/rounds)
	for range rounds {
		alone, _, err := forkLoops(ctx, b.python, each, 1)
		if err != nil {
			return err
		}
		one, err := measure(each, 0, func() error { return b.one(ctx) })
		if err != nil {
			return err
		}
		_, perSecond, err := forkLoops(ctx, b.python, b.Runs, runtime.NumCPU())
		if err != nil {
			return err
		}
		eight, rate, err := b.throughput(ctx, 8)
		if err != nil {
			return err
		}
		fork, back, took = append(fork, alone...), append(back, one...), append(took, eight...)
		forks, executions = append(forks, perSecond), append(executions, rate)
		time.Sleep(200 * time.Millisecond) // the pool fills up again, off the forks' time
	}
	b.fork = b.addTimes("floor: fork + run + wait, warm CPython", fork)
	forksPerSecond := median(forks)
	b.add(Figure{Name: "floor: the same on all cores", PerSecond: forksPerSecond, Count: rounds * b.Runs})
	backToBack := b.addTimes("Execute(\"1+1\"), back to back", back)
	b.rate8 = median(executions)
	b.addRate("Execute(\"1+1\"), 8 in flight", took, b.rate8)
	b.ratio("Execute, back to back", "fork", backToBack.P50, b.fork.P50, 1.2, false)
	b.ratio("Execute per second, 8 in flight", "forks per second", b.rate8, forksPerSecond, 0.7, true)
	return nil
}

// throughput gives how long executions took with so many callers, each one after another,
// and how many there were per second.
func (b *bench) throughput(ctx context.Context, callers int) (sample, float64, error) {
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
	return all, float64(callers*each) / time.Since(begun).Seconds(), failure
}

// addRate reports how long executions took, and how many there were per second.
func (b *bench) addRate(name string, took sample, rate float64) {
	b.add(Figure{
		Name: name, P50: milliseconds(took.at(0.5)), P99: milliseconds(took.at(0.99)), PerSecond: rate, Count: len(took),
	})
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
