package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/sidecar"
)

// tenths is in how many parts a soak is looked at.
const tenths = 10

// maxUnexpected bounds how many outcomes that should not be are described.
const maxUnexpected = 20

// Soak runs many programs of all kinds on an executor of its own, and looks after each
// tenth at what it has become. The report is whole where the error is nil.
func Soak(ctx context.Context, cfg config.SidecarConfig, o SoakOptions) (_ *SoakReport, err error) {
	if o.InFlight == 0 {
		o.InFlight = 8
	}
	if o.Runs < tenths*tenths {
		return nil, fault.New(fault.Invalid, "a soak of %d programs tells nothing: it takes at least %d", o.Runs, tenths*tenths)
	}
	e, err := start(ctx, cfg, sidecar.New)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, e.close()) }()
	s := &soak{SoakOptions: o, executor: e}
	s.report.Programs = map[string]int{}
	if o.Progress != nil {
		fmt.Fprintln(o.Progress, tenthHeader)
	}
	begun := time.Now()
	for place := range tenths {
		until := int64(o.Runs * (place + 1) / tenths)
		tenth, err := s.tenth(ctx, until)
		if err != nil {
			return nil, err
		}
		s.report.Tenths = append(s.report.Tenths, tenth)
		if o.Progress != nil {
			tenth.print(o.Progress, place+1)
		}
	}
	s.report.Seconds = time.Since(begun).Seconds()
	s.report.judge()
	return &s.report, nil
}

type soak struct {
	SoakOptions
	*executor
	report SoakReport
	next   atomic.Int64 // the number of the next run

	mu         sync.Mutex
	times      sample // of this tenth
	unexpected int    // in this tenth
}

// tenth runs programs up to a number, and then looks.
func (s *soak) tenth(ctx context.Context, until int64) (Tenth, error) {
	from := s.next.Load()
	s.times, s.unexpected = s.times[:0], 0
	var callers sync.WaitGroup
	begun := time.Now()
	for range s.InFlight {
		callers.Go(func() {
			for ctx.Err() == nil {
				number := s.next.Add(1) - 1
				if number >= until {
					return
				}
				s.one(ctx, number)
			}
		})
	}
	callers.Wait()
	took := time.Since(begun)
	s.next.Store(until) // each caller has taken a number too many
	if ctx.Err() != nil {
		return Tenth{}, ctx.Err()
	}
	t := Tenth{
		Runs: int(until - from), PerSecond: float64(until-from) / took.Seconds(),
		P50: milliseconds(s.times.at(0.5)), P99: milliseconds(s.times.at(0.99)), Unexpected: s.unexpected,
	}
	err := s.look(ctx, &t)
	return t, err
}

func (s *soak) one(ctx context.Context, number int64) {
	p := &soakPrograms[turns[int(number)%len(turns)]]
	begun := time.Now()
	wrong := p.run(ctx, s.executor)
	took := time.Since(begun)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.report.Programs[p.name]++
	if !p.waits {
		s.times = append(s.times, took)
	}
	if wrong == "" || ctx.Err() != nil {
		return
	}
	s.unexpected++
	if len(s.report.Unexpected) < maxUnexpected {
		s.report.Unexpected = append(s.report.Unexpected, fmt.Sprintf("run %d, %s: %s", number, p.name, wrong))
	}
}

// look measures an executor that has come to rest.
func (s *soak) look(ctx context.Context, t *Tenth) error {
	if err := s.rest(ctx); err != nil {
		if !errors.Is(err, errRestless) {
			return err
		}
		s.report.Leaks = append(s.report.Leaks, err.Error())
	}
	debug.FreeOSMemory()
	all, err := descendants()
	if err != nil {
		return err
	}
	servers := forkServers(all)
	t.Goroutines, t.Processes = runtime.NumGoroutine(), len(all)
	for _, pid := range append(slices.Clone(servers), os.Getpid()) {
		n, err := descriptorsOf(pid)
		if err != nil && !errors.Is(err, os.ErrPermission) && !ended(err) {
			return err
		}
		t.Descriptors += n
	}
	own, err := memoryOf(os.Getpid())
	if err != nil {
		return err
	}
	t.Resident = own.resident
	for _, p := range all {
		if p.zombie {
			t.Zombies++
			continue
		}
		got, err := memoryOf(p.pid)
		switch {
		case errors.Is(err, os.ErrPermission):
			t.ForkServers, t.Workers = -1, -1
			return nil
		case ended(err): // the pool takes back what a burst had it make
			t.Processes--
		case err != nil:
			return err
		case slices.Contains(servers, p.pid):
			t.ForkServers += got.anonymous
		default:
			t.Workers += got.anonymous
		}
	}
	return nil
}
