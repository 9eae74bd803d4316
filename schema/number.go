package schema

import (
	"encoding/json"
	"math"
	"math/big"
	"regexp"
	"sort"
	"strconv"
	"strings"

	"github.com/codemode-sdk/codemode/internal/value"
)

var jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

// A number compares exactly where that is affordable: 2**53+1 is not 2**53, and 0.3 is a
// multiple of 0.1.
type number struct {
	text string
	rat  *big.Rat // nil: only float is known
	f    float64
}

// maxExactDigits bounds the digits, and the exponent, of numbers that are kept exactly.
const maxExactDigits = 1100

func numberOf(v any) *number {
	switch v := v.(type) {
	case int64:
		return &number{strconv.FormatInt(v, 10), new(big.Rat).SetInt64(v), float64(v)}
	case int:
		return numberOf(int64(v))
	case float64:
		n := &number{text: strconv.FormatFloat(v, 'g', -1, 64), f: v}
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			n.rat, _ = new(big.Rat).SetString(n.text)
		}
		return n
	case json.Number:
		text := v.String()
		if !jsonNumber.MatchString(text) {
			return nil
		}
		n := &number{text: text}
		n.f, _ = strconv.ParseFloat(text, 64) // out of range is an infinity, which is right here
		mantissa, exponent, _ := strings.Cut(strings.ToLower(text), "e")
		e := 0
		if exponent != "" {
			var err error
			if e, err = strconv.Atoi(exponent); err != nil {
				e = maxExactDigits + 1
			}
		}
		if len(mantissa) <= maxExactDigits && e <= maxExactDigits && e >= -maxExactDigits {
			n.rat, _ = new(big.Rat).SetString(text)
		} else if exponent == "" && !strings.Contains(mantissa, ".") {
			if i, ok := new(big.Int).SetString(mantissa, 10); ok && len(mantissa) <= 1<<16 {
				n.rat = new(big.Rat).SetInt(i)
			}
		}
		return n
	}
	return nil
}

func (n *number) cmp(o *number) int {
	if n.rat != nil && o.rat != nil {
		return n.rat.Cmp(o.rat)
	}
	switch {
	case n.f < o.f:
		return -1
	case n.f > o.f:
		return 1
	}
	return 0
}

// isInteger is JSON Schema's notion: 1.0 is an integer.
func (n *number) isInteger() bool {
	if n.rat != nil {
		return n.rat.IsInt()
	}
	if !strings.ContainsAny(n.text, ".eE") {
		return strings.Trim(n.text, "-0123456789") == ""
	}
	return n.f == math.Trunc(n.f) && !math.IsInf(n.f, 0)
}

func (n *number) isMultipleOf(o *number) bool {
	if o.f == 0 && (o.rat == nil || o.rat.Sign() == 0) {
		return true // not a legal keyword value; nothing to check
	}
	if n.rat != nil && o.rat != nil {
		return new(big.Rat).Quo(n.rat, o.rat).IsInt()
	}
	return math.Mod(n.f, o.f) == 0
}

// fingerprint writes a text that two values share exactly when JSON Schema calls them
// equal.
func fingerprint(b *strings.Builder, v any) {
	switch v := v.(type) {
	case nil:
		b.WriteByte('z')
	case bool:
		b.WriteString(strconv.FormatBool(v))
	case string:
		b.WriteString(strconv.Quote(v))
	case value.Text:
		b.WriteString(strconv.Quote(v.Text))
	case []any:
		b.WriteByte('[')
		for _, item := range v {
			fingerprint(b, item)
			b.WriteByte(',')
		}
		b.WriteByte(']')
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		b.WriteByte('{')
		for _, k := range keys {
			b.WriteString(strconv.Quote(k))
			b.WriteByte(':')
			fingerprint(b, v[k])
			b.WriteByte(',')
		}
		b.WriteByte('}')
	default:
		n := numberOf(v)
		switch {
		case n == nil:
			b.WriteByte('?')
		case n.rat != nil:
			b.WriteString(n.rat.RatString())
		default:
			b.WriteString(n.text)
		}
	}
}

func fingerprintOf(v any) string {
	var b strings.Builder
	fingerprint(&b, v)
	return b.String()
}

func containsValue(list []any, v any) bool {
	want := fingerprintOf(v)
	for _, item := range list {
		if fingerprintOf(item) == want {
			return true
		}
	}
	return false
}
