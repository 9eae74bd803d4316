package value

import (
	"strconv"
	"strings"
	"time"
)

// appendTime writes t as Python's datetime.isoformat() does for an aware datetime. What
// is below a microsecond is cut off.
func appendTime(dst []byte, t time.Time) ([]byte, *Error) {
	// A datetime's offset is less than a day; Go's may be anything.
	if _, offset := t.Zone(); offset <= -24*60*60 || offset >= 24*60*60 {
		t = t.UTC()
	}
	if t.Year() < 1 || t.Year() > 9999 {
		return dst, problem("the year %d is outside 1 to 9999, which is all that datetime holds", t.Year())
	}
	layout := "2006-01-02T15:04:05"
	if t.Nanosecond() >= int(time.Microsecond) {
		layout += ".000000"
	}
	layout += "-07:00"
	if _, offset := t.Zone(); offset%60 != 0 {
		layout += ":00"
	}
	return t.AppendFormat(dst, layout), nil
}

// clockReader takes apart what isoformat() gives.
type clockReader struct {
	rest string
	ok   bool
}

// number takes exactly n digits for a number from low to high.
func (r *clockReader) number(n, low, high int) int {
	if len(r.rest) < n || leadingDigits(r.rest[:n]) != n {
		r.ok = false
		return 0
	}
	v, _ := strconv.Atoi(r.rest[:n]) // a few digits cannot fail
	r.rest = r.rest[n:]
	if v < low || v > high {
		r.ok = false
	}
	return v
}

func (r *clockReader) skip(c byte) {
	if !r.take(c) {
		r.ok = false
	}
}

func (r *clockReader) take(c byte) bool {
	if r.rest == "" || r.rest[0] != c {
		return false
	}
	r.rest = r.rest[1:]
	return true
}

func (r *clockReader) date() (year int, month time.Month, day int) {
	year = r.number(4, 1, 9999)
	r.skip('-')
	month = time.Month(r.number(2, 1, 12))
	r.skip('-')
	day = r.number(2, 1, 31)
	// The day after the month's last one is another month's.
	if r.ok && time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Day() != day {
		r.ok = false
	}
	return year, month, day
}

// microseconds reads an optional fraction of six digits.
func (r *clockReader) microseconds() int {
	if !r.take('.') {
		return 0
	}
	return r.number(6, 0, 999_999)
}

func (r *clockReader) time() (hour, minute, second, micro int) {
	hour = r.number(2, 0, 23)
	r.skip(':')
	minute = r.number(2, 0, 59)
	r.skip(':')
	second = r.number(2, 0, 59)
	return hour, minute, second, r.microseconds()
}

// offset reads an optional distance from UTC, of which the part below a second has no
// place in a time.Location.
func (r *clockReader) offset() (seconds, micro int, aware bool) {
	sign := 1
	switch {
	case r.rest == "":
		return 0, 0, false
	case r.take('-'):
		sign = -1
	default:
		r.skip('+')
	}
	seconds = r.number(2, 0, 23) * 3600
	r.skip(':')
	seconds += r.number(2, 0, 59) * 60
	if r.take(':') {
		seconds += r.number(2, 0, 59)
		micro = r.microseconds()
	}
	return sign * seconds, micro, true
}

// parseDatetime gives a time.Time for an aware datetime and a Scalar for one without a
// timezone, or with an offset that is no number of seconds.
func parseDatetime(s string) (any, bool) {
	r := clockReader{rest: s, ok: true}
	year, month, day := r.date()
	r.skip('T')
	hour, minute, second, micro := r.time()
	offset, offsetMicro, aware := r.offset()
	if !r.ok || r.rest != "" {
		return nil, false
	}
	if !aware || offsetMicro != 0 {
		return Scalar{"datetime", s}, true
	}
	zone := time.UTC
	if offset != 0 {
		zone = time.FixedZone("", offset)
	}
	return time.Date(year, month, day, hour, minute, second, micro*1000, zone), true
}

func isDate(s string) bool {
	r := clockReader{rest: s, ok: true}
	r.date()
	return r.ok && r.rest == ""
}

func isTime(s string) bool {
	r := clockReader{rest: s, ok: true}
	r.time()
	r.offset()
	return r.ok && r.rest == ""
}

// durationText gives d as an ISO 8601 duration in seconds, such as "PT90.5S".
func durationText(d time.Duration) string {
	sign, u := "", uint64(d)
	if d < 0 {
		sign, u = "-", -u
	}
	text := sign + "PT" + strconv.FormatUint(u/1e9, 10)
	if fraction := u % 1e9; fraction != 0 {
		nine := strconv.FormatUint(1e9+fraction, 10)[1:]
		text += "." + strings.TrimRight(nine, "0")
	}
	return text + "S"
}

// parseDuration reads a duration in Go's form ("1m30s") or, without years and months, in
// that of ISO 8601 ("PT1M30S").
func parseDuration(s string) (time.Duration, bool) {
	rest, negative := strings.CutPrefix(s, "-")
	rest, iso := strings.CutPrefix(rest, "P")
	if !iso {
		d, err := time.ParseDuration(s)
		return d, err == nil
	}
	days, clock, timed := strings.Cut(rest, "T")
	if days == "" && clock == "" || timed && clock == "" {
		return 0, false
	}
	var total time.Duration
	if days != "" {
		number, ok := strings.CutSuffix(days, "D")
		n, err := strconv.ParseUint(number, 10, 16)
		if !ok || err != nil {
			return 0, false
		}
		total = time.Duration(n) * 24 * time.Hour
	}
	if clock != "" {
		// The units are the same letters as Go's, which takes them in any order.
		if strings.ContainsFunc(clock, func(r rune) bool { return !strings.ContainsRune("0123456789.HMS", r) }) {
			return 0, false
		}
		d, err := time.ParseDuration(strings.ToLower(clock))
		if err != nil || total+d < total {
			return 0, false
		}
		total += d
	}
	if negative {
		total = -total
	}
	return total, true
}
