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

// A Text is a string of an instance that stands for a value of another type.
type Text struct {
	// Text is what Plain makes of the value.
	Text string
	// Python is the value's type as the program knows it, such as "datetime".
	Python string
}

// Instance is Plain for a JSON Schema validator that answers to the program: NaN and the
// infinities stay the numbers they are, and what only Plain makes a string is a Text.
func Instance(v any) any {
	lowered, _ := lower(v, true)
	return lowered
}

// lower also says whether the result is another value than v.
func lower(v any, instance bool) (lowered any, changed bool) {
	text, isText := "", true
	switch v := v.(type) {
	case float64:
		if instance || !math.IsNaN(v) && !math.IsInf(v, 0) {
			return v, false
		}
		return string(appendFloat(nil, v, 64)), true
	case *big.Int:
		return json.Number(v.String()), true
	case []byte:
		text = base64.StdEncoding.EncodeToString(v)
	case time.Time:
		text = v.Format(time.RFC3339Nano)
	case time.Duration:
		text = durationText(v)
	case Decimal:
		text = string(v)
	case Scalar:
		text = v.Text
	case complex128:
		text = complexText(v)
	case []any:
		return lowerList(v, instance)
	case Set:
		list, _ := lowerList(v, instance)
		return list, true
	case map[string]any:
		return lowerMap(v, instance)
	case Dict:
		m := make(map[string]any, len(v))
		for _, item := range v {
			m[keyText(item.Key)], _ = lower(item.Value, instance)
		}
		return m, true
	default:
		isText = false
	}
	switch {
	case !isText:
		return v, false
	case instance:
		return Text{Text: text, Python: pythonType(v)}, true
	}
	return text, true
}

func lowerList(v []any, instance bool) (any, bool) {
	var copied []any
	for i, item := range v {
		lowered, changed := lower(item, instance)
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

func lowerMap(v map[string]any, instance bool) (any, bool) {
	var copied map[string]any
	for key, item := range v {
		lowered, changed := lower(item, instance)
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
