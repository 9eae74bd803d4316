package value_test

import (
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/codemode-sdk/codemode/internal/value"
	"github.com/codemode-sdk/codemode/internal/waittest"
)

var exactly = cmp.Options{
	cmpopts.EquateNaNs(),
	cmp.Comparer(func(a, b *big.Int) bool { return a.Cmp(b) == 0 }),
}

func TestDecode(t *testing.T) {
	for _, c := range []struct {
		in   string
		want any
	}{
		{` null `, nil},
		{`true`, true},
		{`0`, int64(0)},
		{`-0`, int64(0)},
		{`9223372036854775807`, int64(math.MaxInt64)},
		{`9223372036854775808`, bigInt("9223372036854775808")},
		{`-1` + strings.Repeat("0", 5000), new(big.Int).Neg(new(big.Int).Exp(big.NewInt(10), big.NewInt(5000), nil))},
		{`1.0`, 1.0},
		{`1e2`, 100.0},
		{`1e999`, math.Inf(1)},
		{`[NaN,Infinity,-Infinity]`, []any{math.NaN(), math.Inf(1), math.Inf(-1)}},
		{`"é\u00e9\ud83d\ude00\n\/"`, "éé😀\n/"},
		{`[]`, []any{}},
		{`{}`, map[string]any{}},
		{"{\"a\" : [ 1 ,\t2 ] ,\r\n\"b\":null}", map[string]any{"a": []any{int64(1), int64(2)}, "b": nil}},
		{`{"a":1,"a":2}`, map[string]any{"a": int64(2)}},
		{`{"$":["bytes","aGVsbG8="]}`, []byte("hello")},
		{`{"$":["decimal","-1.50E+3"]}`, value.Decimal("-1.50E+3")},
		{`{"$":["decimal","sNaN12"]}`, value.Decimal("sNaN12")},
		{`{"$":["datetime","2026-01-02T03:04:05.000006+00:00"]}`, time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)},
		{`{"$":["datetime","2026-01-02T03:04:05-05:30"]}`, time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", -19800))},
		{`{"$":["datetime","2026-01-02T03:04:05"]}`, value.Scalar{Kind: "datetime", Text: "2026-01-02T03:04:05"}},
		{`{"$":["datetime","2026-01-02T03:04:05+00:00:00.000001"]}`, value.Scalar{Kind: "datetime", Text: "2026-01-02T03:04:05+00:00:00.000001"}},
		{`{"$":["date","2024-02-29"]}`, value.Scalar{Kind: "date", Text: "2024-02-29"}},
		{`{"$":["time","03:04:05.000001+02:00"]}`, value.Scalar{Kind: "time", Text: "03:04:05.000001+02:00"}},
		{`{"$":["timedelta",1500000]}`, 1500 * time.Millisecond},
		{`{"$":["timedelta",9223372036854776]}`, value.Scalar{Kind: "timedelta", Text: "9223372036854776"}},
		{`{"$":["timedelta",-86399999913600000000]}`, value.Scalar{Kind: "timedelta", Text: "-86399999913600000000"}},
		{`{"$":["uuid","12345678-1234-5678-1234-567812345678"]}`, value.Scalar{Kind: "uuid", Text: "12345678-1234-5678-1234-567812345678"}},
		{`{"$":["complex",[1.0,-2]]}`, complex(1, -2)},
		{`{"$":["set",[1,2]]}`, value.Set{int64(1), int64(2)}},
		{`{"$":["dict",[[2,"two"],[1,"one"]]]}`, value.Dict{{Key: int64(2), Value: "two"}, {Key: int64(1), Value: "one"}}},
		{`{ "$" : [ "dict" , [ [ "$" , { "$" : [ "set" , [ ] ] } ] ] ] }`, map[string]any{"$": value.Set{}}},
	} {
		got, err := value.Decode([]byte(c.in), 0)
		if err != nil {
			t.Errorf("%.60s: %v", c.in, err)
			continue
		}
		if diff := cmp.Diff(c.want, got, exactly); diff != "" {
			t.Errorf("%.60s (-want +got):\n%s", c.in, diff)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{``, "value expected at byte 0"},
		{`1 2`, "more after the value"},
		{`[1,]`, "[1]: value expected"},
		{`{"a":1,}`, "a key in quotes expected"},
		{`{a:1}`, "a key in quotes expected"},
		{`{"a" 1}`, `':' missing`},
		{`{"a":[1 2]}`, `.a: ',' missing`},
		{`01`, "malformed number"},
		{`-`, "malformed number"},
		{`1.`, "malformed number"},
		{`1e`, "malformed number"},
		{`.5`, "value expected"},
		{`+1`, "value expected"},
		{`nul`, "value expected"},
		{`nan`, "value expected"},
		{`'a'`, "value expected"},
		{`"a`, "string without an end"},
		{`"a\`, "string without an end"},
		{`"\x"`, "unknown escape"},
		{`"\u12g4"`, "four hexadecimal digits"},
		{`"\ud800"`, "half of a surrogate pair"},
		{`"\ud800\ud800"`, "half of a surrogate pair"},
		{`"\udc00\ud800"`, "half of a surrogate pair"},
		{"\"a\nb\"", "control character"},
		{"\"\xff\"", "not UTF-8"},
		{"\"\xed\xa0\x80\"", "not UTF-8"},
		{"\"\\n\xff\"", "not UTF-8"},
		{strings.Repeat("[", 102), "nested more than 100 deep"},
		{strings.Repeat(`{"a":`, 102), "nested more than 100 deep"},
		{strings.Repeat(`{"$":["set",[`, 102), "nested more than 100 deep"},
		{strings.Repeat(`{"$":["dict",[[`, 102), "nested more than 100 deep"},
		{strings.Repeat("9", 100_001), "more than 100000 digits"},
		{`{"$":1}`, `'[' missing`},
		{`{"$":["bytes"]}`, `',' missing`},
		{`{"$":["bytes","a"]}`, "not a valid bytes"},
		{`{"$":["bytes","YR=="]}`, "not a valid bytes"},
		{`{"$":["bytes",1]}`, "a string expected for bytes"},
		{`{"$":["bytes","",1]}`, `']' missing`},
		{`{"$":["bytes",""],"a":1}`, `the key "$" beside others`},
		{`{"a":1,"$":["bytes",""]}`, `the key "$" beside others`},
		{`{"$":["evil",""]}`, `unknown kind "evil"`},
		{`{"$":["decimal","1.5.1"]}`, "not a valid decimal"},
		{`{"$":["decimal","1e9999999999999999999"]}`, "not a valid decimal"},
		{`{"$":["datetime","2026-02-30T00:00:00"]}`, "not a valid datetime"},
		{`{"$":["datetime","2026-01-02T03:04:05Z"]}`, "not a valid datetime"},
		{`{"$":["datetime","2026-01-02T03:04:05+24:00"]}`, "not a valid datetime"},
		{`{"$":["date","2026-1-2"]}`, "not a valid date"},
		{`{"$":["time","24:00:00"]}`, "not a valid time"},
		{`{"$":["uuid","12345678123456781234567812345678"]}`, "not a valid uuid"},
		{`{"$":["timedelta",1.5]}`, "an integer of microseconds"},
		{`{"$":["timedelta",1` + strings.Repeat("0", 30) + `]}`, "an integer of microseconds"},
		{`{"$":["complex",[1]]}`, "two parts"},
		{`{"$":["complex",[1,"a"]]}`, "a number expected"},
		{`{"$":["dict",[[1]]]}`, `',' missing`},
		{`{"$":["dict",[[1,2,3]]]}`, `']' missing`},
		{`{"$":["dict",{}]}`, `'[' missing`},
		{`{"rows":[{"when":{"$":["date","x"]}}]}`, ".rows[0].when: "},
	} {
		got, err := value.Decode([]byte(c.in), 0)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.60q: got %v, error %v, want %s", c.in, got, err, c.want)
		}
	}
	if _, err := value.Decode([]byte(`[1,2,3]`), 6); err == nil || !strings.Contains(err.Error(), "the limit is 6") {
		t.Errorf("maxBytes is not enforced: %v", err)
	}
}

// A message of a worker that wants to burn the application's time costs about what its
// length says.
func TestLongNumbersAreNoBomb(t *testing.T) {
	number := strings.Repeat("7", value.MaxDigits)
	data := []byte("[" + strings.Repeat(number+",", 19) + number + "]") // 2 MB
	start := time.Now()
	if _, err := value.Decode(data, 0); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > waittest.Patience {
		t.Errorf("2 MB of digits took %v", took)
	}
}
