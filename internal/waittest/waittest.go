// Package waittest has tests wait for what comes sooner or later. A machine that is busy,
// or emulated, lets a test stand still for many seconds at any place: a test that may fail
// only when the product is wrong says what it waits for, and not how long that takes.
package waittest

import (
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// patienceVariable has tests wait longer than usual, for machines that are slower than that.
const patienceVariable = "CODEMODE_TEST_PATIENCE"

// Patience is how long a test waits before it says that something will never come. What
// does come ends the waiting at once, so that a test which passes does not get slower by it.
var Patience = patience()

func patience() time.Duration {
	if d, err := time.ParseDuration(os.Getenv(patienceVariable)); err == nil && d > 0 {
		return d
	}
	return 2 * time.Minute
}

// Poll asks until the answer is yes; false after Patience.
func Poll(done func() bool) bool {
	for deadline := time.Now().Add(Patience); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

// Until waits for something that has to come true.
func Until(t testing.TB, what string, done func() bool) {
	t.Helper()
	if !Poll(done) {
		t.Fatalf("after %s: %s", Patience, what)
	}
}

// Longer is for a test that ends something by a limit of time and needs it to have got
// somewhere by then. It tries with a limit, and where that fails with longer ones up to
// Patience: a product that is wrong fails with each of them.
func Longer(t testing.TB, limit time.Duration, try func(limit time.Duration) error) {
	t.Helper()
	for {
		err := try(limit)
		if err == nil {
			return
		}
		if 4*limit > Patience {
			t.Errorf("within %s: %v", limit, err)
			return
		}
		t.Logf("within %s: %v", limit, err)
		limit *= 4
	}
}

// Goroutines says which goroutines are left at the end of all tests, once they had time to
// end.
func Goroutines(options ...goleak.Option) (left error) {
	Poll(func() bool { left = goleak.Find(options...); return left == nil })
	return left
}

// VerifyMain runs a package's tests, and fails if they leave goroutines.
func VerifyMain(m *testing.M, options ...goleak.Option) {
	code := m.Run()
	if left := Goroutines(options...); left != nil && code == 0 {
		_, _ = os.Stderr.WriteString("goroutines outlived the tests: " + left.Error() + "\n")
		code = 1
	}
	os.Exit(code)
}
