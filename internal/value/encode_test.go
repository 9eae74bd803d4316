package value_test

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/codemode-sdk/codemode/internal/value"
)

type celsius float64

type level int

func (l level) MarshalText() ([]byte, error) { return []byte([]string{"low", "high"}[l]), nil }

type pointerText struct{ N int }

func (p *pointerText) MarshalText() ([]byte, error) { return []byte("p"), nil }

type failing struct{}

func (failing) MarshalJSON() ([]byte, error) { return nil, errors.New("not today") }

type blob []byte

type inner struct {
	A int
	B string `json:"b,omitempty"`
}

type outer struct {
	inner
	*Named
	A    string    // hides inner.A
	Skip int       `json:"-"`
	Dash int       `json:"-,"`
	ID   int64     `json:",string"`
	F    float64   `json:"f,omitempty"`
	When time.Time `json:"when,omitzero"`
	priv int
}

type Named struct {
	Name string `json:"name"`
}

type left struct{ Same, L int }
type right struct{ Same, R int }

func bigInt(s string) *big.Int {
	n, _ := new(big.Int).SetString(s, 10)
	return n
}

func TestEncode(t *testing.T) {
	day := time.Date(2026, 1, 2, 3, 4, 5, 6789, time.FixedZone("", -5*3600-1800))
	var nilMap map[string]int
	var nilSlice []int
	var nilBytes []byte
	var nilPointer *level
	for _, c := range []struct {
		name string
		in   any
		want string
	}{
		{"nil", nil, `null`},
		{"a float without a fraction stays a float", 1.0, `1.0`},
		{"a float32 is as short as it was", float32(0.1), `0.1`},
		{"a large float", 1e300, `1e+300`},
		{"negative zero", math.Copysign(0, -1), `-0.0`},
		{"NaN", math.NaN(), `NaN`},
		{"infinities", []float64{math.Inf(1), math.Inf(-1)}, `[Infinity,-Infinity]`},
		{"a named float", celsius(3), `3.0`},
		{"the largest uint64", uint64(math.MaxUint64), `18446744073709551615`},
		{"a complex", 1 - 2i, `{"$":["complex",[1.0,-2.0]]}`},
		{"a string that needs escapes", "a\"\\\n\r\t\x01é\u2028\x7f", `"a\"\\\n\r\t\u0001é` + "\u2028\x7f" + `"`},
		{"a string that is not UTF-8", "a\xffb\xc3", `"a` + "\uFFFDb\uFFFD" + `"`},
		{"bytes", []byte("hello"), `{"$":["bytes","aGVsbG8="]}`},
		{"named bytes", blob("hello"), `{"$":["bytes","aGVsbG8="]}`},
		{"a byte array is a list", [2]byte{1, 2}, `[1,2]`},
		{"nil containers are empty ones", []any{nilMap, nilSlice, nilBytes, map[string]any(nil), []any(nil), value.Dict(nil), value.Set(nil)},
			`[{},[],{"$":["bytes",""]},{},[],{"$":["dict",[]]},{"$":["set",[]]}]`},
		{"nil pointers", []any{nilPointer, (*[]int)(nil), struct{ E error }{}}, `[null,null,{"E":null}]`},
		{"empty containers", []any{map[string]int{}, []int{}, []byte{}}, `[{},[],{"$":["bytes",""]}]`},
		{"a time, cut to microseconds", day, `{"$":["datetime","2026-01-02T03:04:05.000006-05:30"]}`},
		{"a UTC time without Z", time.Date(2026, 1, 2, 3, 4, 5, 999, time.UTC), `{"$":["datetime","2026-01-02T03:04:05+00:00"]}`},
		{"a time with an offset in seconds", time.Date(1900, 1, 1, 0, 0, 0, 0, time.FixedZone("LMT", 3208)), `{"$":["datetime","1900-01-01T00:00:00+00:53:28"]}`},
		{"a time with an offset no datetime has", time.Date(2026, 1, 2, 0, 0, 0, 0, time.FixedZone("", 25*3600)), `{"$":["datetime","2025-12-31T23:00:00+00:00"]}`},
		{"a pointer to a time", &day, `{"$":["datetime","2026-01-02T03:04:05.000006-05:30"]}`},
		{"a duration", -1500*time.Millisecond - 1, `{"$":["timedelta",-1500000]}`},
		{"a large integer", bigInt("123456789012345678901234567890"), `123456789012345678901234567890`},
		{"a large integer by value", *bigInt("-123456789012345678901234567890"), `-123456789012345678901234567890`},
		{"a large float number", []any{big.NewFloat(1.5), new(big.Float).SetInf(true)}, `["1.5","-Inf"]`},
		{"a rational", big.NewRat(1, 3), `"1/3"`},
		{"a json.Number", []json.Number{"1.50", "", "-7"}, `[1.50,0,-7]`},
		{"JSON from elsewhere", json.RawMessage(` {"b": [1, 2.50]} `), ` {"b": [1, 2.50]} `},
		{"JSON from elsewhere with a key $", json.RawMessage(`{"x":1.0,"$":{"b":"$"}}`), `{"$":["dict",[["x",1.0],["$",{"b":"$"}]]]}`},
		{"JSON from elsewhere with a hidden key $", json.RawMessage(`[{"\u0024":["bytes","x"]}]`), `[{"$":["dict",[["$",["bytes","x"]]]]}]`},
		{"JSON from elsewhere with half a character", json.RawMessage(`"\ud800"`), `"` + "\uFFFD" + `"`},
		{"an empty RawMessage", json.RawMessage(nil), `null`},
		{"a map in order", map[string]int{"b": 2, "a": 1, "10": 0}, `{"10":0,"a":1,"b":2}`},
		{"integer keys stay integers", map[int]string{10: "x", 9: "y", -1: "z", -20: "w"}, `{"$":["dict",[[-20,"w"],[-1,"z"],[9,"y"],[10,"x"]]]}`},
		{"keys that are text", map[level]int{1: 5}, `{"high":5}`},
		{"mixed keys", map[any]int{"a": 1, true: 2, 1.0: 3}, `{"$":["dict",[["a",1],[1.0,3],[true,2]]]}`},
		{"interface keys that are all strings", map[any]int{"a": 1}, `{"a":1}`},
		{"array keys", map[[2]int]bool{{1, 2}: true}, `{"$":["dict",[[[1,2],true]]]}`},
		{"a key $", map[string]any{"$": 1, "a": nil}, `{"$":["dict",[["$",1],["a",null]]]}`},
		{"a key $ in a typed map", map[string]int{"$": 1}, `{"$":["dict",[["$",1]]]}`},
		{"a field $", struct {
			D int `json:"$"`
		}{3}, `{"$":["dict",[["$",3]]]}`},
		{"struct tags and embedding", outer{inner: inner{A: 1}, Named: &Named{"n"}, A: "a", Skip: 1, Dash: 2, ID: 1 << 60, priv: 1}, `{"name":"n","A":"a","-":2,"ID":"1152921504606846976"}`},
		{"a nil embedded pointer", outer{}, `{"A":"","-":0,"ID":"0"}`},
		{"fields that hide each other", struct {
			left
			right
		}{left{1, 2}, right{3, 4}}, `{"L":2,"R":4}`},
		{"a string option on a string", struct {
			S string  `json:"s,string"`
			P *int    `json:"p,string"`
			B bool    `json:",string"`
			L []int   `json:",string"`
			D float64 `json:",string"`
		}{S: `a"`}, `{"s":"\"a\\\"\"","p":null,"B":"false","L":[],"D":"0.0"}`},
		{"a text marshaler", netip.MustParseAddr("10.0.0.1"), `"10.0.0.1"`},
		{"a marshaler on the pointer, of an addressable value", &struct{ P pointerText }{}, `{"P":"p"}`},
		{"a marshaler on the pointer, out of reach", struct{ P pointerText }{}, `{"P":"p"}`},
		{"our own types", []any{value.Decimal("1.50"), value.Scalar{Kind: "date", Text: "2026-01-02"}, value.Set{int64(1)}, value.Dict{{Key: int64(1), Value: "one"}}},
			`[{"$":["decimal","1.50"]},{"$":["date","2026-01-02"]},{"$":["set",[1]]},{"$":["dict",[[1,"one"]]]}]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := value.Encode(c.in)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != c.want {
				t.Errorf("\n got %s\nwant %s", got, c.want)
			}
			if _, err := value.Decode(got, 0); err != nil {
				t.Errorf("does not decode: %v", err)
			}
		})
	}
}

func TestEncodeErrorsNameThePath(t *testing.T) {
	type row struct {
		When any            `json:"when"`
		Tags map[string]any `json:"tags"`
	}
	type node struct{ Next *node }
	ring := &node{}
	ring.Next = ring
	type loop *loop
	var self loop
	self = &self
	list := make([]any, 1)
	list[0] = list
	for _, c := range []struct {
		name string
		in   any
		want string
	}{
		{"a field of an element", map[string]any{"rows": []row{{}, {When: make(chan int)}}}, `.rows[1].when: a Go value of type chan int cannot be sent`},
		{"a key that is no word", row{Tags: map[string]any{"a b": func() {}}}, `.tags["a b"]: a Go value of type func() cannot be sent`},
		{"the value itself", make(chan int), `a Go value of type chan int cannot be sent`},
		{"an integer key", map[int]any{7: failing{}}, `[7]: value_test.failing.MarshalJSON failed: not today`},
		{"a year out of range", []time.Time{time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC)}, `[0]: the year 12026 is outside 1 to 9999`},
		{"a struct as key", map[struct{ A int }]int{{1}: 1}, `cannot be a dictionary's key`},
		{"a ring of structs", ring, `nested more than 100 deep, or contains itself`},
		{"a slice in itself", list, `nested more than 100 deep, or contains itself`},
		{"a pointer to itself", self, `nested more than 100 deep, or contains itself`},
		{"bad JSON from elsewhere", []any{json.RawMessage(`{"a":`)}, `[0]: invalid JSON`},
		{"deep JSON from elsewhere", json.RawMessage(strings.Repeat("[", 102) + strings.Repeat("]", 102)), `nested more than 100 deep`},
		{"a json.Number that is none", json.Number("0x10"), `"0x10" is not a JSON number`},
		{"a Decimal that is none", value.Decimal("one"), `"one" is not a decimal number`},
		{"a float whose text would take minutes", new(big.Float).SetMantExp(big.NewFloat(1), -1<<31), `more than 100000 digits`},
		{"a huge integer", new(big.Int).Lsh(big.NewInt(1), 1<<20), `more than 100000 digits`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := value.Append([]byte("x"), c.in)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %s", err, c.want)
			}
			if _, ok := errors.AsType[*value.Error](err); !ok {
				t.Errorf("error is a %T", err)
			}
			if string(got) != "x" {
				t.Errorf("an error left %q behind dst", got)
			}
		})
	}
	if _, err := value.Encode(failing{}); err == nil || errors.Unwrap(err).Error() != "not today" {
		t.Errorf("the cause is lost: %v", err)
	}
}

func TestDepthIsTheSameBothWays(t *testing.T) {
	nest := func(levels int) any {
		var v any = int64(1)
		for range levels {
			v = map[string]any{"a": v}
		}
		return v
	}
	data, err := value.Encode(nest(value.MaxDepth + 1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := value.Decode(data, 0); err != nil {
		t.Error(err)
	}
	if _, err := value.Encode(nest(value.MaxDepth + 2)); err == nil {
		t.Error("one level too many is encoded")
	}
	if _, err := value.Decode([]byte(`{"a":`+string(data)+`}`), 0); err == nil {
		t.Error("one level too many is decoded")
	}
}

// What has no exact form of its own looks as encoding/json would have it.
func TestEncodeFollowsEncodingJSON(t *testing.T) {
	type recursive struct {
		Name     string       `json:"name"`
		Children []*recursive `json:"children,omitempty"`
		Any      any          `json:"any"`
		inner
		Arr [2]string
		M   map[string][]int `json:"m,omitempty"`
		P   **int
	}
	n := 3
	p := &n
	for _, v := range []any{
		recursive{Name: "x", Children: []*recursive{{Name: "y"}, nil}, Any: []string{"a"}, M: map[string][]int{"k": {}}, P: &p},
		outer{}, outer{Named: &Named{}, inner: inner{B: "b"}},
		struct {
			A int `json:"é,omitempty"`
			B int `json:"a\"b"`
			C int `json:"x y"`
		}{1, 2, 3},
		map[level]int{0: 1, 1: 2},
	} {
		got, err := value.Encode(v)
		if err != nil {
			t.Fatal(err)
		}
		want, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("\n got %s\nwant %s", got, want)
		}
	}
}
