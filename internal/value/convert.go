package value

import (
	"encoding/json"
	"math"
	"math/big"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// assignExact stores in a type of exactForms that is not v's own.
func assignExact(dst reflect.Value, v any) *Error {
	if exactForms[dst.Type()] == formRaw {
		raw, err := JSON(v)
		if err != nil {
			return &Error{Problem: "not JSON", Err: err}
		}
		dst.SetBytes(raw)
		return nil
	}
	if v == nil {
		return nil
	}
	ok := false
	switch out := dst.Addr().Interface().(type) {
	case *time.Time:
		if text, isText := v.(string); isText {
			t, err := time.Parse(time.RFC3339, text)
			if err != nil {
				return problem("expected a datetime, or a str such as 2026-01-02T15:04:05Z, got str %q", shorten(text))
			}
			*out, ok = t, true
		}
	case *time.Duration:
		switch v := v.(type) {
		case string:
			*out, ok = parseDuration(v)
			if !ok {
				return problem("expected a timedelta, or a str such as 1m30s or PT1M30S, got str %q", shorten(v))
			}
		case int64:
			*out, ok = time.Duration(v), true
		}
	case *big.Int:
		if n, isInt := asInt(v); isInt {
			out.Set(n)
			ok = true
		}
	case *big.Float:
		text, isText := numberText(v)
		if s, ok := v.(string); ok {
			text, isText = s, true
		}
		if isText && smallExponent(text) {
			_, _, err := out.Parse(text, 10)
			ok = err == nil
		}
	case *big.Rat:
		text, isText := numberText(v)
		if s, ok := v.(string); ok {
			text, isText = s, true
		}
		if isText && smallExponent(text) {
			_, ok = out.SetString(text)
		}
	case *json.Number:
		text, isText := numberText(v)
		if s, ok := v.(string); ok {
			text, isText = s, true
		}
		if valid, _ := isNumber(text); isText && valid {
			*out, ok = json.Number(text), true
		}
	case *Decimal:
		if text, finite := numberText(v); finite {
			*out, ok = Decimal(text), true
		}
	case *Set:
		if list, isList := v.([]any); isList {
			*out, ok = list, true
		}
	}
	if !ok {
		return mismatch(v, dst.Type())
	}
	return nil
}

// asInt gives an int, and a float without a fraction.
func asInt(v any) (*big.Int, bool) {
	switch v := v.(type) {
	case int64:
		return big.NewInt(v), true
	case *big.Int:
		return v, true
	case float64:
		if isFinite(v) {
			n, accuracy := big.NewFloat(v).Int(nil)
			return n, accuracy == big.Exact
		}
	}
	return nil, false
}

func isFinite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }

// numberText spells a finite number that is a int, float or Decimal.
func numberText(v any) (string, bool) {
	switch v := v.(type) {
	case int64:
		return strconv.FormatInt(v, 10), true
	case *big.Int:
		return v.String(), true
	case float64:
		return string(appendFloat(nil, v, 64)), isFinite(v)
	case Decimal:
		text := string(v)
		return text, !strings.ContainsAny(text, "nN") // neither NaN nor Infinity
	}
	return "", false
}

// smallExponent reports whether writing the number out is a matter of MaxDigits digits:
// big.Rat does so when it reads one, big.Float when it prints one.
func smallExponent(text string) bool {
	_, exponent, found := strings.Cut(strings.ToLower(text), "e")
	if !found {
		return len(text) <= MaxDigits
	}
	n, err := strconv.Atoi(exponent)
	return err == nil && -MaxDigits <= n && n <= MaxDigits
}

// assignKind stores in a type that is known by its kind alone. v is not nil.
func assignKind(dst reflect.Value, v any) *Error {
	switch dst.Kind() {
	case reflect.Bool:
		if b, ok := v.(bool); ok {
			dst.SetBool(b)
			return nil
		}
	case reflect.String:
		if text, ok := textOf(v); ok {
			dst.SetString(text)
			return nil
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if n, ok := v.(int64); ok && !dst.OverflowInt(n) {
			dst.SetInt(n)
			return nil
		}
		if n, ok := asInt(v); ok {
			if !n.IsInt64() || dst.OverflowInt(n.Int64()) {
				return problem("the int does not fit in %d bits", dst.Type().Bits())
			}
			dst.SetInt(n.Int64())
			return nil
		}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		if n, ok := asInt(v); ok {
			if n.Sign() < 0 {
				return problem("the int must not be negative")
			}
			if !n.IsUint64() || dst.OverflowUint(n.Uint64()) {
				return problem("the int does not fit in %d bits", dst.Type().Bits())
			}
			dst.SetUint(n.Uint64())
			return nil
		}
	case reflect.Float32, reflect.Float64:
		return assignFloat(dst, v)
	case reflect.Complex64, reflect.Complex128:
		switch v := v.(type) {
		case complex128:
			dst.SetComplex(v)
			return nil
		case float64:
			dst.SetComplex(complex(v, 0))
			return nil
		case int64:
			dst.SetComplex(complex(float64(v), 0))
			return nil
		}
	case reflect.Slice, reflect.Array:
		return assignList(dst, v)
	case reflect.Map:
		return assignMap(dst, v)
	case reflect.Struct:
		return assignStruct(dst, v)
	}
	return mismatch(v, dst.Type())
}

func assignFloat(dst reflect.Value, v any) *Error {
	var f float64
	switch v := v.(type) {
	case float64:
		f = v
	case int64:
		f = float64(v)
	case *big.Int:
		f, _ = new(big.Float).SetInt(v).Float64()
		if !isFinite(f) {
			return problem("the int is too large for a float")
		}
	default:
		return mismatch(v, dst.Type())
	}
	if dst.OverflowFloat(f) {
		return problem("the float does not fit in %d bits", dst.Type().Bits())
	}
	dst.SetFloat(f)
	return nil
}
