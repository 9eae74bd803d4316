package value_test

import (
	"bytes"
	"encoding/json"
	"math/big"
	"reflect"
	"testing"
	"testing/quick"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/codemode-sdk/codemode/internal/value"
)

// Whatever decodes must encode, decode to the same, and lower to JSON.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"a":[1,2.5,-0.0,1e400,NaN,-Infinity,null,true,"x\u00e9\ud83d\ude00"]}`,
		`{"$":["bytes","aGVsbG8="]}`, `{"$":["decimal","1.50E-3"]}`, `{"$":["decimal","sNaN1"]}`,
		`{"$":["datetime","2026-01-02T03:04:05.000006+00:00"]}`, `{"$":["datetime","0001-01-01T00:00:00-23:59:59"]}`,
		`{"$":["datetime","2026-01-02T03:04:05"]}`, `{"$":["date","2026-01-02"]}`, `{"$":["time","03:04:05"]}`,
		`{"$":["timedelta",-1500000]}`, `{"$":["timedelta",86399999999999999999]}`,
		`{"$":["uuid","12345678-1234-5678-1234-567812345678"]}`, `{"$":["complex",[1.0,-2.0]]}`,
		`{"$":["set",[1,{"$":["set",[]]}]]}`, `{"$":["dict",[[1,"one"],[[1,2],null],["$",{"$":["dict",[["$",1]]]}]]]}`,
		`123456789012345678901234567890`, `"1e99999999999"`, `"0e-999999999999999999"`, `"1/3"`, `"P1DT2H"`, `{"$":["decimal","1E-999999999999"]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := value.Decode(data, 1<<16)
		if err != nil {
			return
		}
		encoded, err := value.Encode(v)
		if err != nil {
			t.Fatalf("decoded but not encoded: %v", err)
		}
		again, err := value.Decode(encoded, 0)
		if err != nil {
			t.Fatalf("%s does not decode: %v", encoded, err)
		}
		if diff := cmp.Diff(v, again, exactly); diff != "" {
			t.Fatalf("changed by a round trip:\n%s", diff)
		}
		text, err := value.JSON(v)
		if err != nil || !json.Valid(text) {
			t.Fatalf("not JSON: %s, %v", text, err)
		}
		var raw json.RawMessage
		var whole any
		if value.Assign(v, &raw) != nil || value.Assign(v, &whole) != nil {
			t.Fatal("not taken by a RawMessage or any")
		}
		_ = value.Assign(v, new(tree)) // may fail, must not panic
		_ = value.Assign(v, new(map[any]nested))
		_ = value.Assign(v, new(big.Float))
		_ = value.Assign(v, new(big.Rat))
		_ = value.Assign(v, new(time.Duration))
	})
}

type nested map[float64][]*[2]bool

// JSON from elsewhere must mean the same to the program as to its author.
func FuzzRawJSON(f *testing.F) {
	f.Add([]byte(`{"$":{"$":[1]},"a":"\u0024\ud800"}`))
	f.Add([]byte(` [1, {"b" : 2.50}, "\\"] `))
	f.Fuzz(func(t *testing.T, data []byte) {
		encoded, err := value.Encode(json.RawMessage(data))
		if err != nil || len(data) == 0 {
			return
		}
		v, err := value.Decode(encoded, 0)
		if err != nil {
			t.Fatalf("%s does not decode: %v", encoded, err)
		}
		text, err := value.JSON(v)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := canonical(t, text), canonical(t, data); want != nil && !reflect.DeepEqual(got, want) {
			t.Errorf("%s became %s", data, text)
		}
	})
}

// canonical is nil for floats out of range, which Go's parser refuses.
func canonical(t *testing.T, data []byte) any {
	var v any
	if err := json.NewDecoder(bytes.NewReader(data)).Decode(&v); err != nil {
		return nil
	}
	return v
}

// Go values of plain types survive the way to the program and back.
func TestRoundTripOfGoValues(t *testing.T) {
	type leaf struct {
		I   int64
		U   uint64
		F   float64
		S   string
		B   []byte
		C   complex128
		M   map[int16]string
		N   map[string][]bool
		Arr [3]int8
		P   *uint8
	}
	same := func(in leaf) bool {
		data, err := value.Encode(in)
		if err != nil {
			t.Error(err)
			return false
		}
		var out leaf
		if err := value.DecodeInto(data, 0, &out); err != nil {
			t.Error(err)
			return false
		}
		// quick makes strings of any runes, half pairs included.
		in.S = string([]rune(in.S))
		in.N, out.N = nil, nil
		return cmp.Diff(in, out, exactly) == ""
	}
	if err := quick.Check(same, &quick.Config{MaxCount: 300}); err != nil {
		t.Error(err)
	}
}
