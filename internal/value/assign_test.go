package value_test

import (
	"encoding/json"
	"math"
	"math/big"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/codemode-sdk/codemode/internal/value"
)

func into[T any](t *testing.T, data string, want T) {
	t.Helper()
	var got T
	if err := value.DecodeInto([]byte(data), 0, &got); err != nil {
		t.Errorf("%s into %T: %v", data, got, err)
		return
	}
	options := cmp.Options{exactly, cmp.AllowUnexported(inner{}),
		cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
		cmp.Comparer(func(a, b big.Int) bool { return a.Cmp(&b) == 0 }),
		cmp.Comparer(func(a, b *big.Rat) bool { return a.Cmp(b) == 0 }),
		cmp.Comparer(func(a, b *big.Float) bool { return a.Cmp(b) == 0 })}
	if diff := cmp.Diff(want, got, options); diff != "" {
		t.Errorf("%s into %T (-want +got):\n%s", data, got, diff)
	}
}

func refused[T any](t *testing.T, data, want string) {
	t.Helper()
	var got T
	err := value.DecodeInto([]byte(data), 0, &got)
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%s into %T: got %v, error %v, want %s", data, got, got, err, want)
	}
}

type tree struct {
	Name     string           `json:"name"`
	Children []*tree          `json:"children"`
	Any      any              `json:"any"`
	Data     []byte           `json:"data"`
	When     time.Time        `json:"when"`
	Wait     time.Duration    `json:"wait"`
	ByID     map[int64]string `json:"by_id"`
	ID       int64            `json:"id,string"`
	N        *big.Int         `json:"n"`
}

func TestAssignIsExact(t *testing.T) {
	huge := strings.Repeat("7", 100)
	into(t, `{"name":"a","children":[{"name":"b"},null],"any":[`+huge+`,{"$":["bytes","aGk="]},{"$":["decimal","1.50"]}],
		"data":{"$":["bytes","aGk="]},"when":{"$":["datetime","2026-01-02T03:04:05+02:00"]},"wait":{"$":["timedelta",5]},
		"by_id":{"$":["dict",[[1,"x"]]]},"id":"42","n":`+huge+`,"more":1}`,
		tree{
			Name: "a", Children: []*tree{{Name: "b"}, nil},
			Any:  []any{bigInt(huge), []byte("hi"), value.Decimal("1.50")},
			Data: []byte("hi"), When: time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 7200)),
			Wait: 5 * time.Microsecond, ByID: map[int64]string{1: "x"}, ID: 42, N: bigInt(huge),
		})
	into(t, `NaN`, math.NaN())
	into(t, `-Infinity`, float32(math.Inf(-1)))
	into(t, `{"a":NaN}`, map[string]float64{"a": math.NaN()})
	into(t, `{"$":["dict",[[1,2],["a",3]]]}`, map[any]int{int64(1): 2, "a": 3})
	into(t, `{"$":["dict",[[1,2],[null,3]]]}`, map[string]int{"1": 2, "null": 3})
	into(t, `{"1":2}`, map[int]int{1: 2})
	into(t, `{"$":["set",[1,2]]}`, []int{1, 2})
	into(t, `{"$":["complex",[1,2]]}`, 1+2i)
	into(t, `{"$":["bytes","AQI="]}`, [2]byte{1, 2})
	into(t, `{"$":["decimal","0.1"]}`, big.NewRat(1, 10))
	into(t, `0.5`, big.NewFloat(0.5))
	into(t, `"0.5"`, big.NewFloat(0.5))
	into(t, `{"$":["decimal","0.5"]}`, big.NewFloat(0.5))
	into(t, huge, *bigInt(huge))
	into(t, huge, json.Number(huge))
	into(t, `{"$":["decimal","1.50"]}`, json.Number("1.50"))
}

func TestAssignElseFollowsEncodingJSON(t *testing.T) {
	into(t, `"aGk="`, []byte("hi"))
	into(t, `"aGk="`, blob("hi"))
	into(t, `[1,2]`, []byte{1, 2})
	into(t, `"2026-01-02T03:04:05Z"`, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	into(t, `5.0`, 5)
	into(t, `5`, 5.0)
	into(t, `1000`, time.Microsecond)
	into(t, `"1m30s"`, 90*time.Second)
	into(t, `"P1DT1M30.5S"`, 24*time.Hour+90*time.Second+500*time.Millisecond)
	into(t, `"-PT5S"`, -5*time.Second)
	into(t, `{"$":["uuid","12345678-1234-5678-1234-567812345678"]}`, "12345678-1234-5678-1234-567812345678")
	into(t, `"10.0.0.1"`, netip.MustParseAddr("10.0.0.1"))
	into(t, `{"10.0.0.1":1}`, map[netip.Addr]int{netip.MustParseAddr("10.0.0.1"): 1})
	into(t, `{"a":[1,NaN]}`, json.RawMessage(`{"a":[1,"NaN"]}`))
	into(t, `{"A":1,"b":"x"}`, inner{1, "x"})
	into(t, `null`, map[string]int(nil))
	into(t, `[1]`, [2]int{1, 0})
	into(t, `"1/3"`, big.NewRat(1, 3))
	into(t, `null`, 0)
	seven := 7
	into(t, `7`, &seven)
}

func TestAssignRefuses(t *testing.T) {
	refused[int](t, `"5"`, "expected int, got str")
	refused[int](t, `5.5`, "expected int, got float")
	refused[int](t, `NaN`, "expected int, got float")
	refused[int](t, `true`, "expected int, got bool")
	refused[int8](t, `300`, "does not fit in 8 bits")
	refused[int](t, `9223372036854775808`, "does not fit in 64 bits")
	refused[uint](t, `-1`, "must not be negative")
	refused[float32](t, `1e300`, "does not fit in 32 bits")
	refused[float64](t, `1`+strings.Repeat("0", 400), "too large for a float")
	refused[string](t, `5`, "expected str, got int")
	refused[string](t, `NaN`, "expected str, got float")
	refused[string](t, `{"$":["bytes","aGk="]}`, "expected str, got bytes")
	refused[bool](t, `0`, "expected bool, got int")
	refused[[]byte](t, `"not base64!"`, "not base64")
	refused[time.Time](t, `{"$":["datetime","2026-01-02T03:04:05"]}`, "expected datetime with a timezone, got datetime without a timezone")
	refused[time.Time](t, `"yesterday"`, "expected a datetime, or a str")
	refused[time.Duration](t, `"soon"`, "expected a timedelta, or a str")
	refused[time.Duration](t, `"P"`, "expected a timedelta, or a str")
	refused[time.Duration](t, `"PT"`, "expected a timedelta, or a str")
	refused[time.Duration](t, `"PT5"`, "expected a timedelta, or a str")
	refused[*big.Int](t, `1.5`, "expected int, got float")
	refused[*big.Rat](t, `{"$":["decimal","1E+999999999999"]}`, "expected int | float | Decimal")
	refused[*big.Float](t, `{"$":["decimal","1E-646456993"]}`, "expected int | float | Decimal")
	refused[*big.Rat](t, `"1e999999999"`, "expected int | float | Decimal")
	refused[[]int](t, `{"a":1}`, "expected list, got dict")
	refused[[1]int](t, `[1,2]`, "at most 1 items")
	refused[[3]byte](t, `{"$":["bytes",""]}`, "expected 3 bytes, got 0")
	refused[map[int]int](t, `{"x":1}`, "[a key]: expected int, got str")
	refused[map[any]int](t, `{"$":["dict",[[[1],2]]]}`, "a list cannot be a key")
	refused[tree](t, `[]`, "expected dict, got list")
	refused[tree](t, `{"children":[{"when":5}]}`, ".children[0].when: expected datetime with a timezone, got int")
	refused[netip.Addr](t, `"here"`, "not accepted by netip.Addr")
	refused[interface{ M() }](t, `1`, "a value for interface { M() }")
	if err := value.Assign(int64(1), 5); err == nil {
		t.Error("stored in an int that is no pointer")
	}
	type loop *loop
	refused[loop](t, `1`, "nested more than")
}
