package value_test

import (
	"bytes"
	"encoding/json"
	"math"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/codemode-sdk/codemode/internal/value"
)

// python runs a program of a real Python, where there is one.
func python(t *testing.T, program string, input []byte) []byte {
	t.Helper()
	path, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3 on PATH")
	}
	cmd := exec.Command(path, "-I", "-c", program)
	cmd.Stdin = bytes.NewReader(input)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("python: %v\n%s", err, stderr.String())
	}
	return out
}

func TestPythonReadsWhatWeWrite(t *testing.T) {
	data, err := value.Encode(map[string]any{
		"ints":    []any{0, -1, uint64(math.MaxUint64), bigInt("-123456789012345678901234567890")},
		"floats":  []float64{0, 1, -0.1, 1e16, 1e22, 5e-324, math.MaxFloat64, math.NaN(), math.Inf(1), math.Inf(-1)},
		"text":    "é\x00\x1f\u2028\"\\/\t😀\xff",
		"nothing": nil,
		"truth":   []bool{true, false},
		"raw":     json.RawMessage(`{"a": [1.50, "\u00e9"]}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	out := python(t, `
import json, sys, math
v = json.load(sys.stdin.buffer)
assert v["ints"] == [0, -1, 2**64 - 1, -123456789012345678901234567890], v["ints"]
assert all(type(i) is int for i in v["ints"])
f = v["floats"]
assert all(type(i) is float for i in f), f
assert f[:7] == [0.0, 1.0, -0.1, 1e16, 1e22, 5e-324, sys.float_info.max], f
assert math.isnan(f[7]) and f[8:] == [math.inf, -math.inf], f
assert v["text"] == "é\x00\x1f\u2028\"\\/\t😀\ufffd", ascii(v["text"])
assert v["nothing"] is None and v["truth"] == [True, False]
assert v["raw"] == {"a": [1.5, "é"]}
print("fine")`, data)
	if strings.TrimSpace(string(out)) != "fine" {
		t.Errorf("got %q", out)
	}
}

func TestPythonReadsOurTimes(t *testing.T) {
	var times []any
	for _, text := range []string{
		"0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59.999999-23:59",
		"2026-01-02T03:04:05.000006+05:30", "1900-01-01T00:00:00+00:53:28",
	} {
		v, err := value.Decode([]byte(`{"$":["datetime","`+text+`"]}`), 0)
		if err != nil {
			t.Fatal(err)
		}
		times = append(times, v)
	}
	data, err := value.Encode(times)
	if err != nil {
		t.Fatal(err)
	}
	out := python(t, `
import json, sys, datetime
for v in json.load(sys.stdin.buffer):
    kind, text = v["$"]
    assert datetime.datetime.fromisoformat(text).isoformat() == text, text
print("fine")`, data)
	if strings.TrimSpace(string(out)) != "fine" {
		t.Errorf("got %q", out)
	}
}

func TestWeReadWhatPythonWrites(t *testing.T) {
	out := python(t, `
import json, sys, math
v = {"ints": [0, -1, 2**63, 10**4000], "floats": [1.0, 0.1, 1e16, 1e-7, 5e-324, math.nan, math.inf, -math.inf],
     "text": "é\x00\x1f\u2028\"\\/\t\x7f😀", "deep": [[{"a": {}}]], "": None, "t": (True, False), 1: 2, None: 3}
sys.set_int_max_str_digits(0) if hasattr(sys, "set_int_max_str_digits") else None
for ascii_only in (False, True):
    for separators in ((",", ":"), (", ", ": ")):
        sys.stdout.buffer.write(json.dumps(v, ensure_ascii=ascii_only, allow_nan=True, separators=separators).encode() + b"\n")`, nil)
	want := map[string]any{
		"ints":   []any{int64(0), int64(-1), bigInt("9223372036854775808"), bigInt("1" + strings.Repeat("0", 4000))},
		"floats": []any{1.0, 0.1, 1e16, 1e-7, 5e-324, math.NaN(), math.Inf(1), math.Inf(-1)},
		"text":   "é\x00\x1f\u2028\"\\/\t\x7f😀",
		"deep":   []any{[]any{map[string]any{"a": map[string]any{}}}},
		"":       nil, "t": []any{true, false}, "1": int64(2), "null": int64(3),
	}
	lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	if len(lines) != 4 {
		t.Fatalf("%d lines", len(lines))
	}
	for _, line := range lines {
		got, err := value.Decode(line, 0)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, exactly); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

// Dictionary keys are lowered as json.dumps spells them.
func TestKeysAreSpelledAsPythonDoes(t *testing.T) {
	out := python(t, `import json; print(json.dumps({1: 0, -5: 0, True: 0, None: 0, 1.5: 0, 1e22: 0, 1e-7: 0, 2**70: 0, float("nan"): 0}))`, nil)
	var want map[string]any
	if err := json.Unmarshal(out, &want); err != nil {
		t.Fatal(err)
	}
	v, err := value.Decode([]byte(`{"$":["dict",[[1,0],[-5,0],[true,0],[null,0],[1.5,0],[1e22,0],[1e-7,0],[1180591620717411303424,0],[NaN,0]]]}`), 0)
	if err != nil {
		t.Fatal(err)
	}
	got, _ := value.Plain(v).(map[string]any)
	// In Python 1 and True are one key.
	want["true"] = 0
	for key := range want {
		if _, ok := got[key]; !ok {
			t.Errorf("%q is missing in %v", key, got)
		}
	}
}
