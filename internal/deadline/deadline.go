// Package deadline has a deadline whose clock can be held, while a person is asked.
package deadline

import (
	"sync"
	"time"
)

// A Deadline calls a function when its time is over.
type Deadline struct {
	mu     sync.Mutex
	timer  *time.Timer
	at     time.Time     // when it is over, as things are now
	budget time.Duration // for which it may still be held
	holds  int
	since  time.Time // of the first of holds
	over   bool
}

// New makes a Deadline that calls expired once, on a goroutine of its own, after d and
// the time for which it was held, of which budget is the most that counts: when that is
// used up, the clock goes on whoever holds it.
func New(d, budget time.Duration, expired func()) *Deadline {
	deadline := &Deadline{at: time.Now().Add(d), budget: budget}
	deadline.mu.Lock()
	defer deadline.mu.Unlock()
	deadline.timer = time.AfterFunc(d, func() {
		deadline.mu.Lock()
		early := deadline.over || time.Now().Before(deadline.at) // it was moved meanwhile
		if !early {
			deadline.over = true
		}
		deadline.mu.Unlock()
		if !early {
			expired()
		}
	})
	return deadline
}

// Hold stops the clock until Release was called as often as Hold.
func (d *Deadline) Hold() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.holds++; d.holds > 1 {
		return
	}
	d.since = time.Now()
	d.move(d.budget)
}

// Release undoes one Hold.
func (d *Deadline) Release() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.holds--; d.holds > 0 {
		return
	}
	unused := max(0, d.budget-time.Since(d.since))
	d.budget = unused
	d.move(-unused)
}

func (d *Deadline) move(by time.Duration) {
	if d.over {
		return
	}
	d.at = d.at.Add(by)
	d.timer.Reset(time.Until(d.at))
}

// Stop ends the Deadline; expired is not called any more, unless it has been already.
func (d *Deadline) Stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.over = true
	d.timer.Stop()
}
