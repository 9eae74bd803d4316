package codemode_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	codemode "github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/registry"
	_ "github.com/codemode-sdk/codemode/sidecar/embeddedpython"
)

// conforms is a Python program's own reading of a stub: it evaluates the annotations and
// compares a value with them, by its very types where typing is lenient.
const conforms = `
import sys, typing, types, datetime as _dt

def hints(tool):
    module = types.ModuleType(tool.__qualname__)
    sys.modules[tool.__qualname__] = module
    space = vars(module)
    for name in "Any Literal NotRequired TypedDict TypeAlias".split():
        space[name] = getattr(typing, name)
    space.update(datetime=_dt.datetime, timedelta=_dt.timedelta)
    exec("from __future__ import annotations\n" + tool.__doc__, space)
    return typing.get_type_hints(space[tool.__name__])

def wrong(v, hint, path="value"):
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint is typing.Any:
        return
    if origin in (typing.Union, types.UnionType):
        if all(wrong(v, a, path) for a in args):
            return f"{path}: {v!r} is no {hint}"
        return
    if origin is typing.Literal:
        return None if v in args else f"{path}: {v!r} is none of {args}"
    if typing.is_typeddict(hint):
        if type(v) is not dict:
            return f"{path}: {v!r} is no dict"
        fields = typing.get_type_hints(hint, include_extras=True)
        needed = {k for k, h in fields.items() if typing.get_origin(h) is not typing.NotRequired}
        if not needed <= set(v) <= set(fields):
            return f"{path}: keys {sorted(v)}, where {sorted(needed)} are needed of {sorted(fields)}"
        plain = typing.get_type_hints(hint)
        return next((w for k in v if (w := wrong(v[k], plain[k], f"{path}[{k!r}]"))), None)
    if origin is list:
        if type(v) is not list:
            return f"{path}: {v!r} is no list"
        return next((w for i, x in enumerate(v) if (w := wrong(x, args[0], f"{path}[{i}]"))), None)
    if origin is dict:
        if type(v) is not dict:
            return f"{path}: {v!r} is no dict"
        return next((w for k, x in v.items() if (w := wrong(k, args[0], f"a key of {path}") or wrong(x, args[1], f"{path}[{k!r}]"))), None)
    expected = type(None) if hint is None else hint
    return None if type(v) is expected else f"{path}: {type(v).__name__}, where the stub says {expected.__name__}"

def shape(v):
    if type(v) is list:
        return [shape(x) for x in v]
    if type(v) is dict:
        return {(type(k).__name__, k): shape(x) for k, x in v.items()}
    return type(v).__name__, "nan" if v != v else v

def promised(give, take, expected):
    v = give()
    assert not (w := wrong(v, hints(give)["return"])), w
    assert shape(v) == shape(expected), f"got {v!r}, expected {expected!r}"
    if take:
        assert not (w := wrong(expected, hints(take)["value"])), "argument " + w
    return v
`

type point struct {
	X, Y float64
}

type base struct {
	ID   string `json:"id"`
	Note string `json:"note,omitempty"`
}

type Audit struct {
	By string `json:"by"`
}

// everything is a struct with what structs can have.
type everything struct {
	base
	*Audit
	ID      int64             `json:"id"` // hides base.ID
	State   string            `json:"state" jsonschema:"enum=open,enum=closed"`
	Spot    point             `json:"spot"`
	Next    *point            `json:"next"`
	Maybe   *point            `json:"maybe,omitempty"`
	Tags    []string          `json:"tags"`
	Labels  map[string]string `json:"labels"`
	Count   *big.Int          `json:"count"`
	Quoted  int64             `json:"quoted,string"`
	When    *time.Time        `json:"when"`
	Wait    time.Duration     `json:"wait,omitzero"`
	Inline  struct{ N *int }  `json:"inline"`
	Parents []everything      `json:"parents,omitempty"`
}

type urgency int

func (u urgency) MarshalText() ([]byte, error) { return []byte([]string{"low", "high"}[u]), nil }

func (u *urgency) UnmarshalText(text []byte) error {
	switch string(text) {
	case "low":
		*u = 0
	case "high":
		*u = 1
	default:
		return fmt.Errorf("%q is neither low nor high", text)
	}
	return nil
}

// A travel is a Go value with the Python expression that it is to a program.
type travel struct {
	name, python string
	// register adds two tools, which give the value and take it.
	register func(t *testing.T, reg *registry.Registry)
	// taken gives what the second got, and what it should have got.
	taken func() (got []any, want any)
	// oneWay: the value is no argument.
	oneWay bool
}

func travels[T any](name string, v T, python string) *travel {
	var mu sync.Mutex
	var got []any
	return &travel{
		name: name, python: python,
		register: func(t *testing.T, reg *registry.Registry) {
			type in struct {
				Value T `json:"value" jsonschema:"required"`
			}
			err := errors.Join(
				registry.Func(reg, name+".give", "Gives.", func(context.Context, struct{}) (T, error) { return v, nil }),
				registry.Func(reg, name+".take", "Takes.", func(_ context.Context, in in) (bool, error) {
					mu.Lock()
					defer mu.Unlock()
					got = append(got, in.Value)
					return true, nil
				}))
			if err != nil {
				t.Fatal(err)
			}
		},
		taken: func() ([]any, any) {
			mu.Lock()
			defer mu.Unlock()
			return got, v
		},
	}
}

func (tr *travel) only() *travel {
	tr.oneWay = true
	return tr
}

// The tests share one executor, because starting it is what takes time.
func TestTypedTools(t *testing.T) {
	east := time.FixedZone("", 5*3600+1800)
	when := time.Date(2026, 1, 2, 3, 4, 5, 6000, east)
	huge, _ := new(big.Int).SetString(strings.Repeat("7", 60), 10)
	one := 1
	const dt, td = "datetime.datetime", "datetime.timedelta"
	whenText := dt + "(2026, 1, 2, 3, 4, 5, 6, " + dt[:8] + ".timezone(" + td + "(hours=5, minutes=30)))"
	full := everything{
		base: base{Note: "n"}, Audit: &Audit{By: "me"}, ID: 1 << 60, State: "open", Spot: point{1, -0.5}, Next: &point{2, 3},
		Maybe: &point{}, Tags: []string{"a", "é😀"}, Labels: map[string]string{"$": "x"}, Count: huge, Quoted: -7, When: &when, Wait: time.Minute,
		Inline: struct{ N *int }{&one},
	}
	fullText := `{"note": "n", "by": "me", "id": 2**60, "state": "open", "spot": {"X": 1.0, "Y": -0.5}, "next": {"X": 2.0, "Y": 3.0},
		"maybe": {"X": 0.0, "Y": 0.0}, "tags": ["a", "é😀"], "labels": {"$": "x"}, "count": ` + huge.String() + `, "quoted": "-7",
		"when": ` + whenText + `, "wait": ` + td + `(minutes=1), "inline": {"N": 1}%s}`
	bare := everything{State: "closed"}
	bareText := `{"id": 0, "state": "closed", "spot": {"X": 0.0, "Y": 0.0}, "next": None, "tags": [], "labels": {}, "count": None,
		"quoted": "0", "when": None, "inline": {"N": None}}`
	nested := full
	nested.Parents = []everything{full}
	all := []*travel{
		travels("bool", true, `True`),
		travels("int", math.MinInt64, `-2**63`),
		travels("uint64", uint64(math.MaxUint64), `2**64 - 1`),
		travels("int8", int8(-128), `-128`),
		travels("big", huge, huge.String()),
		travels("rational", *big.NewRat(1, 3), `"1/3"`),
		travels("float", 1.0, `1.0`),
		travels("nan", math.NaN(), `float("nan")`),
		travels("infinity", math.Inf(-1), `-float("inf")`),
		travels("float32", float32(0.1), `0.1`),
		travels("text", "a\x00\"é\u2028😀", `"a\x00\"é\u2028😀"`),
		travels("bytes", []byte("\x00\xff"), `b"\x00\xff"`),
		travels("bytes_nil", []byte(nil), `b""`),
		travels("bytes_list", [][]byte{[]byte("a"), nil}, `[b"a", b""]`),
		travels("byte_array", [2]byte{1, 255}, `[1, 255]`),
		travels("time", when, whenText),
		travels("duration", 90*time.Second+time.Microsecond, td+`(seconds=90, microseconds=1)`),
		travels("duration_negative", -time.Microsecond, td+`(microseconds=-1)`),
		travels("slice", []int{1, 2}, `[1, 2]`),
		travels("slice_nil", []point(nil), `[]`),
		travels("slice_nil_inside", map[string][]string{"a": nil, "b": {"c"}}, `{"a": [], "b": ["c"]}`),
		travels("map_nil", map[string]int(nil), `{}`),
		travels("map_int", map[int]string{-1: "a", 2: "b"}, `{-1: "a", 2: "b"}`),
		travels("map_int_nil", map[int]string(nil), `{}`),
		travels("map_int_inside", map[string]map[uint8][]bool{"x": {255: {true}}}, `{"x": {255: [True]}}`),
		travels("map_dollar", map[string]any{"$": []any{"bytes", "x"}}, `{"$": ["bytes", "x"]}`),
		travels("map_duration", map[time.Duration]int{time.Second: 1}, `{`+td+`(seconds=1): 1}`),
		travels("map_marshaler", map[urgency]int{1: 2}, `{"high": 2}`),
		travels("marshaler", []urgency{0, 1}, `["low", "high"]`),
		travels("address", netip.MustParseAddr("10.0.0.1"), `"10.0.0.1"`),
		travels("raw", json.RawMessage(`{"a":[1,2.5,null]}`), `{"a": [1, 2.5, None]}`),
		travels("raw_dollar", json.RawMessage(`{"$":["bytes","x"]}`), `{"$": ["bytes", "x"]}`),
		travels("any", any(map[string]any{"b": []byte("x"), "n": int64(1), "f": 1.0, "t": when, "d": time.Second, "l": []any{nil, true}, "i": huge}),
			`{"b": b"x", "n": 1, "f": 1.0, "t": `+whenText+`, "d": `+td+`(seconds=1), "l": [None, True], "i": `+huge.String()+`}`),
		travels("any_nil", any(nil), `None`),
		travels("pointer", &point{1, 2}, `{"X": 1.0, "Y": 2.0}`),
		travels("pointer_nil", (*point)(nil), `None`),
		travels("pointers", []*point{{1, 2}}, `[{"X": 1.0, "Y": 2.0}]`),
		travels("pointers_nil", []*point{nil}, `[None]`).only(), // a handler never gets these
		travels("struct", full, fmt.Sprintf(fullText, "")),
		travels("struct_bare", bare, bareText),
		travels("struct_nested", nested, fmt.Sprintf(fullText, `, "parents": [`+fmt.Sprintf(fullText, "")+`]`)),
	}
	reg := registry.New()
	for _, tr := range all {
		tr.register(t, reg)
	}
	type strict struct {
		From   string            `json:"from" jsonschema:"minLength=2"`
		Days   int               `json:"days,omitempty" jsonschema:"minimum=1"`
		Unit   string            `json:"unit,omitempty" jsonschema:"enum=metric,enum=imperial"`
		When   time.Time         `json:"when,omitzero"`
		Wait   time.Duration     `json:"wait,omitempty"`
		Data   []byte            `json:"data,omitempty"`
		Counts map[int]int8      `json:"counts,omitempty"`
		Spots  []point           `json:"spots,omitempty"`
		Flags  map[string]bool   `json:"flags,omitempty"`
		Level  urgency           `json:"level,omitempty"`
		Count  uint64            `json:"count,omitempty"`
		Rows   []struct{ N int } `json:"rows,omitempty"`
		Hosts  []netip.Addr      `json:"hosts,omitempty"`
	}
	if err := registry.Func(reg, "strict", "Refuses much.", func(_ context.Context, in strict) (bool, error) {
		t.Errorf("the handler got %+v", in)
		return true, nil
	}); err != nil {
		t.Fatal(err)
	}
	cm, err := codemode.New(inMode(codemode.Options{Registry: reg}))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := cm.Close(); err != nil {
			t.Error(err)
		}
	}()
	same := cmp.Options{
		cmpopts.EquateEmpty(), cmpopts.EquateNaNs(), cmp.AllowUnexported(everything{}),
		cmp.Comparer(func(a, b *big.Int) bool { return a == b || a != nil && b != nil && a.Cmp(b) == 0 }),
		cmp.Comparer(func(a, b big.Rat) bool { return a.Cmp(&b) == 0 }),
		cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
		cmp.Comparer(func(a, b time.Time) bool {
			_, x := a.Zone()
			_, y := b.Zone()
			return a.Equal(b) && x == y
		}),
	}
	t.Run("wrong arguments", func(t *testing.T) { refusesWrongArguments(t, cm) })
	for _, tr := range all {
		t.Run(tr.name, func(t *testing.T) {
			program := conforms + "import datetime\nexpected = " + tr.python + "\n"
			if tr.oneWay {
				program += fmt.Sprintf("v = promised(tools.%[1]s.give, None, expected)\n"+
					"try:\n    tools.%[1]s.take(value=v)\nexcept ToolError as e:\n    assert e.kind == 'invalid_arguments', e\nelse:\n    assert False, 'taken'\n", tr.name)
			} else {
				program += fmt.Sprintf("v = promised(tools.%[1]s.give, tools.%[1]s.take, expected)\ntools.%[1]s.take(value=v)\ntools.%[1]s.take(expected)\n", tr.name)
			}
			result, err := cm.Execute(t.Context(), program)
			if err != nil {
				t.Fatal(err)
			}
			if result.Status != codemode.StatusOK {
				entry, _ := reg.Lookup(tr.name + ".give")
				take, _ := reg.Lookup(tr.name + ".take")
				t.Fatalf("%s\n%s\n%s", result.Text(), entry.Stub(), take.Stub())
			}
			got, want := tr.taken()
			if tr.oneWay {
				if len(got) > 0 {
					t.Errorf("the handler got %v", got)
				}
				return
			}
			if len(got) != 2 {
				t.Fatalf("the tool was called %d times", len(got))
			}
			for _, v := range got {
				if diff := cmp.Diff(want, v, same); diff != "" {
					t.Errorf("Go got another value (-want +got):\n%s", diff)
				}
			}
		})
	}
}

// refusesWrongArguments: what a model is told must be in the words it was shown.
func refusesWrongArguments(t *testing.T, cm *codemode.Codemode) {
	for _, test := range []struct{ arguments, want string }{
		{``, `strict() is missing the required argument 'from_'`},
		{`from_="NYC", dayz=1`, `strict() got an unexpected argument 'dayz'; did you mean 'days'?`},
		{`from_=5`, `from_: expected str, got int 5`},
		{`from_=None`, `from_: expected str, got None`},
		{`from_="x"`, `from_: expected at least 2 characters, got str 'x'`},
		{`from_=b"NYC"`, `from_: expected str, got bytes`},
		{`from_="NYC", days="3"`, `days: expected int, got str '3'`},
		{`from_="NYC", days=1.5`, `days: expected int, got float 1.5`},
		{`from_="NYC", days=0`, `days: expected at least 1, got int 0`},
		{`from_="NYC", days=2**64`, `days: the int does not fit in 64 bits`},
		{`from_="NYC", days=datetime.timedelta(days=3)`, `days: expected int, got timedelta PT259200S`},
		{`from_="NYC", unit="metrik"`, `unit: expected one of 'metric', 'imperial', got str 'metrik', did you mean 'metric'?`},
		{`from_="NYC", when=5`, `when: expected datetime | str, got int 5`},
		{`from_="NYC", when=datetime.datetime(2026, 1, 2)`, `when: expected datetime with a timezone, got datetime without a timezone`},
		{`from_="NYC", when="tomorrow"`, `when: expected a datetime, or a str such as 2026-01-02T15:04:05Z, got str "tomorrow"`},
		{`from_="NYC", wait=5`, `wait: expected timedelta | str, got int 5`},
		{`from_="NYC", wait="soon"`, `wait: expected a timedelta, or a str such as 1m30s or PT1M30S, got str "soon"`},
		{`from_="NYC", data=[1]`, `data: expected bytes | str, got list of 1 item`},
		{`from_="NYC", data="?"`, `data: expected bytes or a str of base64; the str is not base64`},
		{`from_="NYC", counts=[1]`, `counts: expected dict[int, int], got list of 1 item`},
		{`from_="NYC", counts={1: "x"}`, `counts[1]: expected int, got str 'x'`},
		{`from_="NYC", counts={1: 128}`, `counts[1]: expected at most 127, got int 128`},
		{`from_="NYC", counts={"x": 1}`, `counts: unknown key 'x', expected int`},
		{`from_="NYC", spots={}`, `spots: expected list[dict], got dict of 0 keys`},
		{`from_="NYC", spots=[{"X": 1}]`, `spots[0]: missing required key 'Y'`},
		{`from_="NYC", spots=[None]`, `spots[0]: expected dict, got None`},
		{`from_="NYC", flags={"a": 1}`, `flags['a']: expected bool, got int 1`},
		{`from_="NYC", level="urgent"`, `level: not accepted by codemode_test.urgency: "urgent" is neither low nor high`},
		{`from_="NYC", level=b"low"`, `level: expected str, got bytes`},
		{`from_="NYC", count=-1`, `count: expected at least 0, got int -1`},
		{`from_="NYC", count=2**64`, `count: the int does not fit in 64 bits`},
		{`from_="NYC", rows=[{"N": 1}, {"N": 2**70}]`, `rows[1]['N']: the int does not fit in 64 bits`},
		{`from_="NYC", hosts=["10.0.0.1", "nowhere"]`, `hosts[1]: not accepted by netip.Addr: ParseAddr("nowhere"): unable to parse IP`},
	} {
		result, err := cm.Execute(t.Context(), `
import datetime
try:
    tools.strict(`+test.arguments+`)
except ToolError as e:
    assert isinstance(e, TypeError) and e.kind == "invalid_arguments" and e.tool == "strict", repr(e)
    print(e, end="")
`)
		if err != nil {
			t.Fatal(err)
		}
		if result.Status != codemode.StatusOK {
			t.Fatal(result.Text())
		}
		if diff := cmp.Diff(test.want, result.Stdout); diff != "" {
			t.Errorf("strict(%s) (-want +got)\n%s", test.arguments, diff)
		}
	}
}
