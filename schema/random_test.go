package schema_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/codemode-sdk/codemode/schema"
)

// randomSchema makes documents out of the keywords that meet each other in practice.
func randomSchema(r *rand.Rand, depth int) any {
	names := []string{"a", "list", "str", "from", "x-y", "date", "Any", "__p", "2", "self", "Literal", "_typing_"}
	pick := func(options ...any) any { return options[r.IntN(len(options))] }
	s := map[string]any{}
	if r.IntN(3) > 0 {
		s["type"] = pick("string", "integer", "number", "boolean", "null", "object", "array", []any{"string", "null"}, []any{"integer", "object"})
	}
	if r.IntN(4) == 0 {
		s["description"] = pick("text", "a \"quoted\\ text\"\"\"", "type: ignore", "two\nlines")
	}
	if r.IntN(6) == 0 {
		s["default"] = pick(1, 1.5, "x", nil, true, []any{}, map[string]any{}, []any{1})
	}
	if r.IntN(8) == 0 {
		s["enum"] = pick([]any{"a", "b"}, []any{1, 2.0}, []any{1.5, nil}, []any{[]any{}, "x"}, []any{true, 1})
	}
	if r.IntN(8) == 0 {
		s["minimum"], s["maxLength"], s["format"] = 1, 2, pick("date", "date-time", "uuid", "byte", "time", "x")
	}
	if r.IntN(8) == 0 {
		s["$ref"] = pick("#/$defs/A", "#/$defs/B")
	}
	if depth <= 0 {
		return s
	}
	object := func() map[string]any {
		m := map[string]any{}
		for range r.IntN(4) {
			m[names[r.IntN(len(names))]] = randomSchema(r, depth-1)
		}
		return m
	}
	list := func() []any {
		l := []any{randomSchema(r, depth-1)}
		for range r.IntN(2) {
			l = append(l, randomSchema(r, depth-1))
		}
		return l
	}
	if r.IntN(2) == 0 {
		s["properties"] = object()
		s["required"] = []any{names[r.IntN(len(names))]}
	}
	for _, key := range []string{"additionalProperties", "items", "prefixItems", "anyOf", "oneOf", "allOf", "not"} {
		if r.IntN(7) > 0 {
			continue
		}
		switch key {
		case "additionalProperties":
			s[key] = pick(true, false, randomSchema(r, depth-1))
		case "items":
			s[key] = randomSchema(r, depth-1)
		case "not":
			s[key] = map[string]any{"type": "null"}
		default:
			s[key] = list()
		}
	}
	return s
}

func randomValue(r *rand.Rand, depth int) any {
	switch n := r.IntN(9); {
	case n > 6 && depth > 0:
		m := map[string]any{}
		for range r.IntN(4) {
			m[[]string{"a", "list", "str", "from", "x-y"}[r.IntN(5)]] = randomValue(r, depth-1)
		}
		return m
	case n > 5 && depth > 0:
		var l = []any{}
		for range r.IntN(3) {
			l = append(l, randomValue(r, depth-1))
		}
		return l
	default:
		return []any{nil, true, 1.0, 1.5, "a", "long text", 0.0}[r.IntN(7)]
	}
}

// Documents that no one wrote: their modules pass real checkers, and what they accept is
// what the validator of the wider ecosystem accepts.
func TestRandomSchemasAreValidPythonAndCheckedRight(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	modules := map[string]string{}
	agreed, accepted := 0, 0
	for i := range 1500 {
		doc := randomSchema(r, 3).(map[string]any)
		doc["$defs"] = map[string]any{"A": randomSchema(r, 2), "B": randomSchema(r, 1)}
		raw, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		s, err := schema.Parse(raw)
		if err != nil {
			continue // a reference in a circle
		}
		var other jsonschema.Schema
		if err := json.Unmarshal(raw, &other); err != nil {
			t.Fatal(err)
		}
		resolved, err := other.Resolve(nil)
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			v := randomValue(r, 3)
			ours, theirs := s.ValidateValue(v), resolved.Validate(v)
			if (ours == nil) != (theirs == nil) {
				t.Errorf("%s\n%v: we say %v, jsonschema-go says %v", raw, v, ours, theirs)
			}
			agreed++
			if ours == nil {
				accepted++
			}
		}
		if i%5 != 0 {
			continue
		}
		text, err := schema.Module([]schema.ToolDoc{{Name: "any", Out: s}, {Name: "ns.list", Out: s}, {Name: "dict", Out: s}})
		if err != nil {
			t.Fatal(err)
		}
		if in, err := schema.Module([]schema.ToolDoc{{Name: "t", In: s, Out: s}, {Name: "str.list", In: s}}); err == nil {
			text = in
		}
		modules[fmt.Sprintf("m%d", i)] = text
	}
	if agreed < 10000 || accepted < 1000 {
		t.Errorf("too few judged: %d, accepted %d", agreed, accepted)
	}
	for name, words := range parsePython(t, modules) {
		t.Errorf("%s: %s\n%s", name, words, modules[name])
	}
	typeCheck(t, modules)
}
