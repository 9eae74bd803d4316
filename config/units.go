package config

import (
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/codemode-sdk/codemode/internal/fault"
)

// What each kind of value accepts, in the words that errors and the reference share. The
// readers below never repeat the text they were given: it may have come from the
// environment, or be an API key in the wrong place.
const (
	acceptsDuration = "seconds such as 30 or 1.5, or a duration such as 90s, 1m30s or 250ms"
	acceptsSize     = "a size such as 512Mi, 512m (as docker has it), 512MB or a number of bytes"
	acceptsCount    = "a whole number such as 64"
	acceptsFlag     = "true or false"
)

var (
	bareNumber  = regexp.MustCompile(`^-?[0-9]{1,18}(\.[0-9]{1,9})?$`)
	wholeNumber = regexp.MustCompile(`^(0|-?[1-9][0-9]{0,17})$`)
	sizeText    = regexp.MustCompile(`^([0-9]{1,18}(?:\.[0-9]{1,9})?)([A-Za-z]{0,3})$`)
)

// readDuration takes a bare number as seconds.
func readDuration(text string) (time.Duration, error) {
	if bareNumber.MatchString(text) {
		text += "s"
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, errors.New("is not a duration: write " + acceptsDuration)
	}
	return d, nil
}

// writeDuration writes 1h0m0s as 1h.
func writeDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// sizeUnits maps every spelling to its bytes.
var sizeUnits = map[string]int64{
	"": 1, "b": 1, "B": 1,
	"k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40,
	"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40,
	"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
	"KB": 1e3, "kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
}

// ParseSize reads a size, such as 512Mi, as the file takes it, and gives bytes.
func ParseSize(text string) (int64, error) {
	size, err := readSize(text)
	if err != nil {
		return 0, fault.New(fault.Config, "%s %s", quote(text), err.Error())
	}
	return size, nil
}

// readSize refuses spellings that two well-known programs read differently: a limit that
// is 5% off is worse than a message.
func readSize(text string) (int64, error) {
	m := sizeText.FindStringSubmatch(text)
	if m == nil {
		return 0, errors.New("is not a size: write " + acceptsSize)
	}
	factor, ok := sizeUnits[m[2]]
	if !ok {
		if unit := strings.ToUpper(m[2][:1]); strings.ContainsAny(unit, "KMGT") && len(m[2]) <= 2 {
			return 0, fmt.Errorf("has a unit that Docker counts in 1024s and Kubernetes in 1000s: use %si or %sB", unit, unit)
		}
		return 0, errors.New("has no known unit: write " + acceptsSize)
	}
	exact, _ := new(big.Rat).SetString(m[1]) // the pattern admits nothing it cannot read
	exact.Mul(exact, new(big.Rat).SetInt64(factor))
	switch {
	case !exact.IsInt():
		return 0, errors.New("is not a whole number of bytes")
	case !exact.Num().IsInt64():
		return 0, errors.New("is larger than any machine")
	}
	return exact.Num().Int64(), nil
}

// writeSize uses the largest unit that loses nothing.
func writeSize(n int64) string {
	for _, u := range []struct {
		name  string
		bytes int64
	}{{"Ti", 1 << 40}, {"Gi", 1 << 30}, {"Mi", 1 << 20}, {"Ki", 1 << 10}} {
		if n != 0 && n%u.bytes == 0 {
			return strconv.FormatInt(n/u.bytes, 10) + u.name
		}
	}
	return strconv.FormatInt(n, 10)
}

// readCount refuses leading zeros, which YAML reads as octal and people do not.
func readCount(text string) (int, error) {
	if !wholeNumber.MatchString(text) {
		return 0, errors.New("is not " + acceptsCount)
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, errors.New("is too large a number")
	}
	return n, nil
}

func readFlag(text string) (bool, error) {
	switch strings.ToLower(text) {
	case "true", "1":
		return true, nil
	case "false", "0":
		return false, nil
	}
	return false, errors.New("is not " + acceptsFlag)
}
