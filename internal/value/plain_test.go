package value_test

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/codemode-sdk/codemode/internal/value"
)

func TestPlain(t *testing.T) {
	for _, c := range []struct {
		in   string
		want any
	}{
		{`{"$":["bytes","aGVsbG8="]}`, "aGVsbG8="},
		{`{"$":["datetime","2026-01-02T03:04:05.000006+00:00"]}`, "2026-01-02T03:04:05.000006Z"},
		{`{"$":["datetime","2026-01-02T03:04:05-05:30"]}`, "2026-01-02T03:04:05-05:30"},
		{`{"$":["datetime","2026-01-02T03:04:05"]}`, "2026-01-02T03:04:05"},
		{`{"$":["timedelta",1500000]}`, "PT1.5S"},
		{`{"$":["timedelta",-90000000]}`, "-PT90S"},
		{`{"$":["timedelta",1]}`, "PT0.000001S"},
		{`{"$":["decimal","1.50"]}`, "1.50"},
		{`{"$":["complex",[1.0,-2.5]]}`, "(1-2.5j)"},
		{`{"$":["set",[1,{"$":["bytes",""]}]]}`, []any{int64(1), ""}},
		{`123456789012345678901234567890`, json.Number("123456789012345678901234567890")},
		{`[NaN,Infinity,-Infinity,1.0]`, []any{"NaN", "Infinity", "-Infinity", 1.0}},
		{
			`{"$":["dict",[[1,"a"],[null,"b"],[true,"c"],[1.0,"d"],[{"$":["date","2026-01-02"]},"e"],[[1,"x"],"f"],[NaN,NaN]]]}`,
			map[string]any{"1": "a", "null": "b", "true": "c", "1.0": "d", "2026-01-02": "e", `[1,"x"]`: "f", "NaN": "NaN"},
		},
		{`{"a":[{"b":{"$":["bytes",""]}}]}`, map[string]any{"a": []any{map[string]any{"b": ""}}}},
	} {
		v, err := value.Decode([]byte(c.in), 0)
		if err != nil {
			t.Fatal(err)
		}
		before, _ := value.Encode(v)
		if diff := cmp.Diff(c.want, value.Plain(v)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.in, diff)
		}
		if after, _ := value.Encode(v); string(before) != string(after) {
			t.Errorf("%s: Plain changed its argument to %s", c.in, after)
		}
		text, err := value.JSON(v)
		if err != nil || !json.Valid(text) {
			t.Errorf("%s: not JSON: %s, %v", c.in, text, err)
		}
	}
}

func TestInstanceKeepsWhatTheProgramHas(t *testing.T) {
	got := value.Instance(map[string]any{"a": []any{math.NaN(), time.Second}})
	list := got.(map[string]any)["a"].([]any)
	if f, ok := list[0].(float64); !ok || !math.IsNaN(f) || list[1] != (value.Text{Text: "PT1S", Python: "timedelta"}) {
		t.Errorf("got %v", got)
	}
}

func TestJSONDoesNotTag(t *testing.T) {
	got, err := value.JSON(map[string]any{"$": []any{"bytes", "x"}, "<": math.NaN()})
	if want := `{"$":["bytes","x"],"<":"NaN"}`; err != nil || string(got) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}
