// Command peers measures what running a small program in fresh isolation costs with what
// one could use in codemode's place, beside codemode, in one session on one machine.
//
//	go run . [-runs 200] [-rate 10] [-npm DIRECTORY] [-image IMAGE]
//
// Programs arrive at random moments, at a fixed rate on average, whether or not those
// before have ended. A peer that is not installed is named with the reason. Linux only.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"time"
)

// A peer runs a program that adds one and one, each time in what the peer has for
// isolation.
type peer struct {
	name, isolation string
	// slow is of a peer that cannot run as many as arrive for the others: it gets a tenth
	// of the rate, and a fifth of the programs.
	slow bool
	// start prepares it, off the clock. errors.Is(err, errMissing) where it is not there.
	start func(ctx context.Context) (run func(context.Context) error, stop func() error, err error)
}

var errMissing = errors.New("not installed")

func main() {
	runs := flag.Int("runs", 200, "programs for each peer")
	rate := flag.Float64("rate", 10, "programs that arrive each second, on average")
	npm := flag.String("npm", "", "the directory with node_modules, of workerd and @pydantic/monty")
	image := flag.String("image", "codemode-test-base:latest", "the image with python3 that docker starts")
	only := flag.String("only", "", "measure the peers with this in their names")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := measureAll(ctx, os.Stdout, peers(*npm, *image), *only, *runs, *rate); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func measureAll(ctx context.Context, w io.Writer, all []peer, only string, runs int, rate float64) error {
	fmt.Fprintf(w, "| a fresh program in | p50 | p99 | p50 against codemode | isolation |\n|---|---|---|---|---|\n")
	var own time.Duration
	for _, p := range all {
		if !strings.Contains(p.name, only) {
			continue
		}
		runs, rate := runs, rate
		if p.slow {
			runs, rate = max(10, runs/5), rate/10
		}
		times, err := measure(ctx, p, runs, rate)
		if errors.Is(err, errMissing) {
			fmt.Fprintf(w, "| %s | | | %v | %s |\n", p.name, err, p.isolation)
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		middle := times[len(times)/2]
		if own == 0 {
			own = middle
		}
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s |\n", p.name, show(middle), show(times[len(times)*99/100]),
			compare(middle, own), p.isolation)
	}
	return ctx.Err()
}

func show(d time.Duration) string {
	return fmt.Sprintf("%.3f ms", float64(d.Nanoseconds())/1e6)
}

func compare(theirs, own time.Duration) string {
	if theirs >= own {
		return fmt.Sprintf("%.1fx slower", float64(theirs)/float64(own))
	}
	return fmt.Sprintf("%.0fx faster", float64(own)/float64(theirs))
}

// measure gives the times of all programs, in order of size.
func measure(ctx context.Context, p peer, runs int, rate float64) (_ []time.Duration, err error) {
	run, stop, err := p.start(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	for range 5 {
		if err := run(ctx); err != nil {
			return nil, err
		}
	}
	var pending sync.WaitGroup
	var mu sync.Mutex
	var times []time.Duration
	var failure error
	gaps := rand.New(rand.NewPCG(1, 2)) // the same arrivals for all
	next := time.Now()
	for range runs {
		next = next.Add(time.Duration(gaps.ExpFloat64() / rate * float64(time.Second)))
		time.Sleep(time.Until(next))
		pending.Go(func() {
			begun := time.Now()
			err := run(ctx)
			took := time.Since(begun)
			mu.Lock()
			defer mu.Unlock()
			times = append(times, took)
			failure = errors.Join(failure, err)
		})
	}
	pending.Wait()
	slices.Sort(times)
	return times, failure
}

// says checks what a program printed.
func says(out []byte, err error) error {
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	if got := string(bytes.TrimSpace(out)); got != "2" {
		return fmt.Errorf("1+1 gave %q", got)
	}
	return nil
}
