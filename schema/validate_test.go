package schema_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/schema"
)

func parse(t testing.TB, doc string) *schema.Schema {
	t.Helper()
	s, err := schema.Parse(json.RawMessage(doc))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func instance(t testing.TB, doc string) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(doc))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// A model reads these and nothing else, so the words are the contract.
func TestViolationsAreInTheWordsOfTheStub(t *testing.T) {
	const doc = `{"type":"object","properties":{
		"city":{"type":"string","minLength":1},
		"from":{"type":"string","pattern":"^[A-Z]{3}$"},
		"days":{"type":"integer","minimum":1,"maximum":14},
		"units":{"enum":["metric","imperial"]},
		"ratio":{"type":"number","multipleOf":0.1},
		"when":{"type":"string","format":"date-time"},
		"tags":{"type":"array","items":{"type":"string"},"maxItems":2,"uniqueItems":true},
		"filter":{"type":"object","properties":{"name":{"type":"string"},"deep":{"type":"object","required":["x"]}},"required":["name"],"additionalProperties":false},
		"value":{"anyOf":[{"type":"string"},{"type":"number"},{"type":"array","items":{"type":"integer"}}]},
		"shape":{"oneOf":[
			{"type":"object","properties":{"kind":{"const":"circle"},"radius":{"type":"number"}},"required":["kind","radius"]},
			{"type":"object","properties":{"kind":{"const":"square"},"side":{"type":"number"}},"required":["kind","side"]}]},
		"area":{"anyOf":[{"type":"object","required":["w","h"]},{"type":"object","required":["side"]}]}
	},"required":["city"]}`
	s := parse(t, doc)
	for _, test := range []struct{ args, want string }{
		{`{"city":"NYC"}`, ""},
		{`{"city":"NYC","days":14,"ratio":0.3,"value":[1],"shape":{"kind":"circle","radius":1},"units":"metric"}`, ""},
		{`{}`, "missing required argument 'city'"},
		{`{"city":5}`, "city: expected str, got int 5"},
		{`{"city":true}`, "city: expected str, got bool True"},
		{`{"city":""}`, "city: expected at least 1 character, got str ''"},
		{`{"ciy":"NYC"}`, "missing required argument 'city'; unknown argument 'ciy', did you mean 'city'?"},
		{`{"city":"x","zzzzz":1}`, "unknown argument 'zzzzz', it takes city, from_, days, units, ratio, when, tags, filter, value, shape, area"},
		{`{"city":"x","from":"nyc"}`, "from_: expected text matching ^[A-Z]{3}$, got str 'nyc'"},
		{`{"city":"x","days":0}`, "days: expected at least 1, got int 0"},
		{`{"city":"x","days":15}`, "days: expected at most 14, got int 15"},
		{`{"city":"x","days":1.5}`, "days: expected int, got float 1.5"},
		{`{"city":"x","days":null}`, "days: expected int, got None (leave it out instead)"},
		{`{"city":"x","units":"metrik"}`, "units: expected one of 'metric', 'imperial', got str 'metrik', did you mean 'metric'?"},
		{`{"city":"x","ratio":0.35}`, "ratio: expected a multiple of 0.1, got float 0.35"},
		{`{"city":"x","when":5}`, "when: expected datetime | str, got int 5"},
		{`{"city":"x","tags":"[\"a\"]"}`, `tags: expected list[str], got str '["a"]' (pass the value itself, not JSON text)`},
		{`{"city":"x","tags":["a",2]}`, "tags[1]: expected str, got int 2"},
		{`{"city":"x","tags":["a","a"]}`, "tags: items 0 and 1 are the same, str 'a'"},
		{`{"city":"x","filter":{"nam":"x"}}`, "filter: missing required key 'name'; filter: unknown key 'nam', did you mean 'name'?"},
		{`{"city":"x","filter":{"name":"x","deep":{}}}`, "filter['deep']: missing required key 'x'"},
		{`{"city":"x","value":{}}`, "value: expected str | float | list[int], got dict of 0 keys"},
		{`{"city":"x","value":["a"]}`, "value[0]: expected int, got str 'a'"},
		{`{"city":"x","shape":{"kind":"square"}}`, "shape: missing required key 'side'"},
		{`{"city":"x","shape":{"kind":"oval"}}`, "shape['kind']: expected one of 'circle', 'square', got str 'oval'"},
		{`{"city":"x","shape":{"radius":1}}`, "shape: missing required key 'kind'"},
		{`{"city":"x","area":{"w":1}}`, "area: none of the alternatives fits: area: missing required key 'h', or area: missing required key 'side'"},
		{`{"city":"x","area":5}`, "area: expected dict, got int 5"},
		{`[]`, "expected dict, got list of 0 items"},
	} {
		got := ""
		if err := s.Validate(instance(t, test.args)); err != nil {
			got = err.Error()
			if fault.CodeOf(err) != fault.Invalid {
				t.Errorf("%s: code %s", test.args, fault.CodeOf(err))
			}
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", test.args, diff)
		}
	}
}

func TestManyViolationsAreListedButBounded(t *testing.T) {
	s := parse(t, `{"properties":{"n":{"type":"array","items":{"type":"integer"}}}}`)
	list := make([]any, 1000)
	for i := range list {
		list[i] = strings.Repeat("x", 10000)
	}
	err := s.Validate(map[string]any{"n": list})
	if err == nil || len(err.Error()) > 2000 || !strings.HasSuffix(err.Error(), "; and 992 more") {
		t.Errorf("got %v", err)
	}
}

func TestLargeIntegersAreComparedExactly(t *testing.T) {
	s := parse(t, `{"properties":{"n":{"type":"integer","maximum":9007199254740993}}}`)
	if err := s.Validate(map[string]any{"n": int64(9007199254740993)}); err != nil {
		t.Error(err)
	}
	if err := s.Validate(map[string]any{"n": json.Number("9007199254740994")}); err == nil {
		t.Error("2**53+2 passed as at most 2**53+1")
	}
	if err := s.Validate(map[string]any{"n": json.Number("1e999999999")}); err == nil {
		t.Error("a giant exponent passed")
	}
}

// A tool's schema comes from strangers: it must not be able to stop the process.
func TestHostileSchemasCostLittle(t *testing.T) {
	doubling := `{"$defs":{"d0":{"type":"string"}`
	for i := 1; i < 60; i++ {
		prev := string(rune('0'+(i-1)/10)) + string(rune('0'+(i-1)%10))
		if i == 1 {
			prev = "0"
		}
		cur := string(rune('0'+i/10)) + string(rune('0'+i%10))
		doubling += `,"d` + cur + `":{"anyOf":[{"$ref":"#/$defs/d` + prev + `"},{"allOf":[{"$ref":"#/$defs/d` + prev + `"}]}]}`
	}
	doubling += `},"properties":{"x":{"$ref":"#/$defs/d59"}}}`
	s := parse(t, doubling)
	tree := parse(t, `{"$defs":{"n":{"anyOf":[{"type":"object","properties":{"k":{"const":1},"c":{"$ref":"#/$defs/n"}},"required":["k"]},{"type":"object","properties":{"k":{"const":2},"c":{"$ref":"#/$defs/n"}}}]}},"properties":{"x":{"$ref":"#/$defs/n"}}}`)
	var deep any = "bad"
	for range 400 {
		deep = map[string]any{"c": deep}
	}
	start := time.Now()
	if err := s.Validate(map[string]any{"x": int64(1)}); err == nil {
		t.Error("an int passed as a string")
	}
	if err := tree.Validate(map[string]any{"x": deep}); err == nil {
		t.Error("a bad leaf passed")
	}
	if _, err := schema.Stub("t", "", s, tree); err != nil {
		t.Error(err)
	}
	if d := time.Since(start); d > 20*time.Second {
		t.Errorf("took %v", d)
	}
}

func TestExtraArgumentsNeedTheSchemasWord(t *testing.T) {
	for doc, want := range map[string]bool{
		`{"properties":{}}`:                          false,
		`{"additionalProperties":false}`:             false,
		`{"additionalProperties":true}`:              true,
		`{"additionalProperties":{"type":"string"}}`: true,
		`{"patternProperties":{"^x-":{}}}`:           true,
		`{"allOf":[{"additionalProperties":{}}]}`:    true,
		`null`: false,
		`{"properties":{"a":{"additionalProperties":true}}}`: false,
	} {
		s := parse(t, doc)
		if got := s.ExtraArguments(); got != want {
			t.Errorf("%s: %v", doc, got)
		}
		if err := s.Validate(map[string]any{"x-y": "1"}); (err == nil) != want {
			t.Errorf("%s: Validate says %v", doc, err)
		}
	}
}

// Tools that want one of several sets of arguments say so at the root of their schema.
func TestWhatIsMissingInEveryAlternativeIsNamed(t *testing.T) {
	s := parse(t, `{"type":"object","properties":{"id":{"type":"integer"},"name":{"type":"string"}},"anyOf":[{"required":["id"]},{"required":["name"]}]}`)
	err := s.Validate(map[string]any{})
	if want := "none of the alternatives fits: missing required argument 'id', or missing required argument 'name'"; err == nil || err.Error() != want {
		t.Errorf("%v\nand not\n%s", err, want)
	}
}

// Alternatives within alternatives must not be explained all: that would take for ever.
func TestDeepAlternativesAreExplainedInTime(t *testing.T) {
	s := parse(t, `{"type":"object","properties":{"t":{"$ref":"#/$defs/T"}},"$defs":{"T":{"anyOf":[
		{"type":"object","properties":{"l":{"$ref":"#/$defs/T"},"r":{"$ref":"#/$defs/T"}},"required":["l"]},
		{"type":"object","properties":{"l":{"$ref":"#/$defs/T"},"m":{"$ref":"#/$defs/T"}},"required":["l","m"]},
		{"type":"object","properties":{"end":{"type":"integer"}},"required":["end"]}]}}}`)
	tree := map[string]any{"end": "no"}
	for range 60 {
		tree = map[string]any{"l": tree, "r": tree, "m": tree}
	}
	err := s.Validate(map[string]any{"t": tree})
	if err == nil || strings.Contains(err.Error(), "too large") || len(err.Error()) > 4<<10 {
		t.Error(err)
	}
}
