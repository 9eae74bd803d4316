package deadline_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/codemode-sdk/codemode/internal/deadline"
)

func TestTimeThatIsHeldDoesNotCount(t *testing.T) {
	type hold struct{ from, to int } // seconds
	seconds := func(n int) time.Duration { return time.Duration(n) * time.Second }
	for _, c := range []struct {
		name   string
		budget int
		holds  []hold
		want   int
	}{
		{"never held", 60, nil, 10},
		{"held once", 60, []hold{{3, 8}}, 15},
		{"held at once by two", 60, []hold{{3, 8}, {5, 9}}, 16},
		{"held twice", 60, []hold{{3, 8}, {10, 12}}, 17},
		{"held from the start", 60, []hold{{0, 50}}, 60},
		{"held beyond the budget", 5, []hold{{3, 100}}, 15},
		{"held again within the budget", 5, []hold{{1, 3}, {5, 7}}, 14},
		{"held again beyond the budget", 5, []hold{{1, 5}, {6, 20}}, 15},
		{"released after the budget, before the end", 5, []hold{{3, 9}}, 15},
		{"no budget", 0, []hold{{1, 5}}, 10},
	} {
		synctest.Test(t, func(t *testing.T) {
			begun, ended := time.Now(), make(chan time.Duration, 2)
			d := deadline.New(10*time.Second, seconds(c.budget), func() { ended <- time.Since(begun) })
			for _, h := range c.holds {
				time.AfterFunc(seconds(h.from), d.Hold)
				time.AfterFunc(seconds(h.to), d.Release)
			}
			time.Sleep(time.Hour)
			if len(ended) != 1 {
				t.Fatalf("%s: it ended %d times", c.name, len(ended))
			}
			if got := <-ended; got != seconds(c.want) {
				t.Errorf("%s: it ended after %v, not %v", c.name, got, seconds(c.want))
			}
		})
	}
}

func TestAStoppedDeadlineStaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := deadline.New(time.Second, time.Minute, func() { t.Error("it expired") })
		d.Hold()
		d.Stop()
		d.Release()
		d.Hold()
		time.Sleep(time.Hour)
	})
}
