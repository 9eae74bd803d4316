package codemode_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/registry"
)

// exact are Python expressions whose values have to survive every boundary.
var exact = map[string]string{
	"None": "None", "bools": "[True, False]", "zero": "0", "minus one": "-1", "beyond int64": "2**63", "100 digits": "-(10**99 + 7)",
	"10,000 digits": "7 * 10**9999 + 1", "float": "0.1 + 0.2", "whole float": "1.0", "minus zero": "-0.0", "tiny": "5e-324",
	"inf": "[float('inf'), float('-inf')]", "bytes": "bytes(range(256))", "no bytes": "b''",
	"text": "'äöü \\U0001f600 \\x00 \\\\ \\' \" \\u2028'", "datetime": "datetime(2026, 1, 2, 3, 4, 5, 6)",
	"aware datetime": "datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=timezone(timedelta(hours=5, minutes=30)))",
	"date":           "date(2026, 2, 28)", "time": "time(23, 59, 59, 1)", "timedelta": "timedelta(days=-3, microseconds=1)",
	"long timedelta": "timedelta(days=999_999)", "Decimal": "Decimal('1.50')", "Decimal exponent": "Decimal('1E+400')",
	"UUID": "UUID('12345678-1234-5678-1234-567812345678')", "complex": "complex(1.5, -2)", "set": "{1, 'a', None, (1, 2)}",
	"empty set": "set()", "int keys": "{1: 'one', 2: 'two'}", "tuple keys": "{(1, 2): [3]}", "the tag as a key": "{'$': ['bytes', 'eA==']}",
	"nested": "{'a': [{'b': [1, 2.0, {'c': {3: b'x'}}]}], 'empty': [{}, [], '']}", "99 deep": "deep(99)",
	"sets in sets": "{frozenset({1, (2, frozenset({3}))})}", "a set as a key": "{frozenset({1}): 'x'}", "int keys, 99 deep": "deep(99, lambda v: {1: v})",
	"a dict of tags": "{'x': {'$': 1, 'y': b'z'}}", "keys of all kinds": "{None: 1, 1.5: 2, b'k': 3, (1, b'k'): 4, date(2026, 1, 1): 5, Decimal('1.0'): 6}",
}

const exactPrelude = `
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from uuid import UUID
def deep(n, wrap=lambda v: [v]):
    v = 'core'
    for _ in range(n):
        v = wrap(v)
    return v
def same(a, b):
    if type(a) is int:  # repr() has a limit
        return type(b) is int and a == b
    return type(a) is type(b) and repr(a) == repr(b) or isinstance(a, (set, dict)) and a == b
`

func TestValuesComeBackFromAToolAsTheyWent(t *testing.T) {
	var code strings.Builder
	code.WriteString(exactPrelude + "wrong = {}\n")
	for name, expression := range exact {
		fmt.Fprintf(&code, "v = %s\nw = tools.echo(value=v)\nif not same(v, w): wrong[%q] = repr(w)[:200]\n", expression, name)
	}
	code.WriteString(`
import math
if not math.isnan(tools.echo(value=float('nan'))): wrong['nan'] = 1
if tools.echo(value=(1, (2, 3))) != [1, [2, 3]]: wrong['tuple'] = 1
wrong`)
	result := run(t, shared, code.String())
	if diff := cmp.Diff(map[string]any{}, result.Value); diff != "" {
		t.Errorf("values that changed:\n%s", diff)
	}
}

func TestResultsReachGoExactly(t *testing.T) {
	big100, _ := new(big.Int).SetString("1"+strings.Repeat("0", 98)+"7", 10)
	for code, want := range map[string]any{
		"None": nil, "True": true, "2**63 - 1": int64(math.MaxInt64), "10**99 + 7": big100, "1.0": 1.0, "float('-inf')": math.Inf(-1),
		"b'\\x00\\xff'": []byte{0, 255}, "'ä'": "ä", "(1, 'a')": []any{int64(1), "a"}, "{'a': {'b': None}}": map[string]any{"a": map[string]any{"b": nil}},
		"datetime(2026, 1, 2, tzinfo=timezone.utc)": time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC),
		"timedelta(seconds=1.5)":                    1500 * time.Millisecond, "complex(1, -2)": complex(1, -2),
	} {
		result := run(t, shared, exactPrelude+code)
		if diff := cmp.Diff(want, result.Value, cmp.Comparer(func(a, b *big.Int) bool { return a.Cmp(b) == 0 })); diff != "" {
			t.Errorf("%s (-want +got):\n%s", code, diff)
		}
	}
	if nan, ok := run(t, shared, "float('nan')").Value.(float64); !ok || !math.IsNaN(nan) {
		t.Errorf("NaN became %v", nan)
	}
}

func TestResultsDecodeIntoGoTypes(t *testing.T) {
	var got struct {
		N     *big.Int       `json:"n"`
		Price string         `json:"price"`
		Raw   []byte         `json:"raw"`
		When  time.Time      `json:"when"`
		Tags  []string       `json:"tags"`
		By    map[int]string `json:"by"`
		Ratio float64        `json:"ratio"`
	}
	result := run(t, shared, exactPrelude+`
{"n": 10**99, "price": Decimal("1.50"), "raw": b"\x00\x01", "when": datetime(2026, 1, 2, tzinfo=timezone.utc),
 "tags": {"x"}, "by": {1: "one"}, "ratio": float("inf")}`)
	if err := result.Decode(&got); err != nil {
		t.Fatal(err)
	}
	if got.N.String() != "1"+strings.Repeat("0", 99) || got.Price != "1.50" || string(got.Raw) != "\x00\x01" ||
		!got.When.Equal(time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)) || len(got.Tags) != 1 || got.By[1] != "one" || !math.IsInf(got.Ratio, 1) {
		t.Errorf("decoded into %+v", got)
	}
	var wrong struct {
		N string `json:"n"`
	}
	if err := result.Decode(&wrong); codemode.CodeOf(err) != codemode.CodeInvalid || !strings.Contains(err.Error(), "n") {
		t.Errorf("an int into a string gave the error %v", err)
	}
	if _, err := json.Marshal(result); err != nil {
		t.Errorf("the result is no JSON: %v", err)
	}
}

func TestToolsGetTypedArgumentsExactly(t *testing.T) {
	type args struct {
		N    *big.Int  `json:"n"`
		Raw  []byte    `json:"raw"`
		When time.Time `json:"when"`
		X    float64   `json:"x"`
	}
	var got args
	cm := open(t, codemode.Options{})
	err := registry.Func(cm.Registry(), "take", "", func(_ context.Context, in args) (args, error) { got = in; return in, nil })
	if err != nil {
		t.Fatal(err)
	}
	result := run(t, cm, exactPrelude+`
v = dict(n=10**99 + 7, raw=b'\x00\xff', when=datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=2))), x=float('inf'))
w = tools.take(**v)
[k for k in v if not same(v[k], w[k])]`)
	if diff := cmp.Diff([]any{}, result.Value); diff != "" {
		t.Errorf("these changed on their way to Go and back: %s", diff)
	}
	if got.N.String() != "1"+strings.Repeat("0", 98)+"7" || string(got.Raw) != "\x00\xff" || !math.IsInf(got.X, 1) ||
		!got.When.Equal(time.Date(2026, 1, 2, 1, 0, 0, 0, time.UTC)) {
		t.Errorf("the tool got %+v", got)
	}
}

func TestWhatCannotTravelIsATypeErrorThatSaysWhere(t *testing.T) {
	for code, want := range map[string]string{
		"tools.echo(value={'rows': [1, {'f': print}]})": "cannot send echo['value']['rows'][1]['f']: a value of type 'builtin_function_or_method'",
		"{'rows': [object()]}":                          "cannot send result['rows'][0]: a value of type 'object'",
		"x = []\nx.append(x)\nx":                        "is nested more than 100 deep, or contains itself",
		"'\\ud800'":                                     "half of a surrogate pair",
		"tools.add(a='1')":                              "a: expected int",
		"tools.add()":                                   "missing the required argument 'a'",
		"tools.add(1, 2, 3)":                            "takes 2 positional arguments but 3 were given",
		"tools.add(a=1, c=1)":                           "unexpected argument 'c'",
		"tools.add(1, a=1)":                             "multiple values for argument 'a'",
	} {
		result, err := shared.Execute(t.Context(), "try:\n    "+strings.ReplaceAll(code, "\n", "\n    ")+"\nexcept TypeError as e:\n    raise\n"+lastLine(code))
		if err != nil {
			t.Fatal(err)
		}
		if result.Status != codemode.StatusError || !strings.Contains(result.Error.Message, want) {
			t.Errorf("%s gave %s %+v, want %q", code, result.Status, result.Error, want)
		}
	}
}

func lastLine(code string) string {
	return code[strings.LastIndexByte(code, '\n')+1:]
}
