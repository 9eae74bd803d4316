package value

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"math/big"
	"strconv"
	"time"
)

// Plain lowers what Decode gives to what encoding/json writes and a JSON Schema validator
// understands: nil, bool, int64, float64, json.Number, string, []any, map[string]any.
//
//   - bytes are base64, datetimes RFC 3339, timedeltas ISO 8601 ("PT1.5S");
//   - a Decimal is a string, because as a number its digits would be lost;
//   - date, time, UUID and complex are their text in Python; a datetime without a
//     timezone is its isoformat();
//   - a set is a list; a dictionary's keys are spelled as Python's json module does;
//   - an int beyond int64 is a json.Number;
//   - NaN and the infinities are the strings "NaN", "Infinity" and "-Infinity".
//
// The result shares with v whatever needed no change.
func Plain(v any) any {
	lowered, _ := lower(v, false)
	return lowered
}

// Instance is Plain for a JSON Schema validator: NaN and the infinities stay the numbers
// they are to the program.
func Instance(v any) any {
	lowered, _ := lower(v, true)
	return lowered
}

// lower also says whether the result is another value than v.
func lower(v any, keepNaN bool) (lowered any, changed bool) {
	switch v := v.(type) {
	case float64:
		if keepNaN || !math.IsNaN(v) && !math.IsInf(v, 0) {
			return v, false
		}
		return string(appendFloat(nil, v, 64)), true
	case *big.Int:
		return json.Number(v.String()), true
	case []byte:
		return base64.StdEncoding.EncodeToString(v), true
	case time.Time:
		return v.Format(time.RFC3339Nano), true
	case time.Duration:
		return durationText(v), true
	case Decimal:
		return string(v), true
	case Scalar:
		return v.Text, true
	case complex128:
		return complexText(v), true
	case []any:
		return lowerList(v, keepNaN)
	case Set:
		list, _ := lowerList(v, keepNaN)
		return list, true
	case map[string]any:
		return lowerMap(v, keepNaN)
	case Dict:
		m := make(map[string]any, len(v))
		for _, item := range v {
			m[keyText(item.Key)], _ = lower(item.Value, keepNaN)
		}
		return m, true
	}
	return v, false
}

func lowerList(v []any, keepNaN bool) (any, bool) {
	var copied []any
	for i, item := range v {
		lowered, changed := lower(item, keepNaN)
		if !changed {
			continue
		}
		if copied == nil {
			copied = append([]any{}, v...)
		}
		copied[i] = lowered
	}
	if copied == nil {
		return v, false
	}
	return copied, true
}

func lowerMap(v map[string]any, keepNaN bool) (any, bool) {
	var copied map[string]any
	for key, item := range v {
		lowered, changed := lower(item, keepNaN)
		if !changed {
			continue
		}
		if copied == nil {
			copied = make(map[string]any, len(v))
			for k, i := range v {
				copied[k] = i
			}
		}
		copied[key] = lowered
	}
	if copied == nil {
		return v, false
	}
	return copied, true
}

// complexText spells c nearly as str() does: "(1-2j)".
func complexText(c complex128) string {
	part := func(f float64) string {
		switch {
		case math.IsNaN(f):
			return "nan"
		case math.IsInf(f, 1):
			return "inf"
		case math.IsInf(f, -1):
			return "-inf"
		}
		return strconv.FormatFloat(f, 'g', -1, 64)
	}
	imaginary := part(imag(c))
	if imaginary[0] != '-' {
		imaginary = "+" + imaginary
	}
	return "(" + part(real(c)) + imaginary + "j)"
}
