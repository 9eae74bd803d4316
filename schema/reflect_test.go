package schema_test

import (
	"encoding/json"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/codemode-sdk/codemode/schema"
	"github.com/google/go-cmp/cmp"
)

type author struct {
	Name string `json:"name" jsonschema_description:"Full name, family name last"`
	Mail string `json:"mail,omitempty" jsonschema:"format=email"`
}

type page[T any] struct {
	Items []T  `json:"items"`
	Next  *int `json:"next"`
}

type query struct {
	Text   string            `json:"text" jsonschema:"description=What to find, such as go, python,minLength=1"`
	State  string            `json:"state,omitempty" jsonschema:"enum=open,enum=closed,default=open"`
	Limit  *int              `json:"limit,omitempty" jsonschema:"minimum=1,maximum=100"`
	Since  time.Time         `json:"since"`
	Wait   time.Duration     `json:"wait,omitempty" jsonschema:"description=How long to wait"`
	Blob   []byte            `json:"blob,omitempty"`
	Big    *big.Int          `json:"big,omitempty"`
	Author author            `json:"author"`
	Editor *author           `json:"editor"`
	Labels map[string]string `json:"labels,omitempty"`
	Extra  any               `json:"extra,omitempty"`
	Parent *query            `json:"parent,omitempty"`
	Count  uint8             `json:"count,omitempty"`
	Hook   func()            `json:"-"`
}

func TestGoTypesBecomeSchemas(t *testing.T) {
	s, err := schema.For(reflect.TypeFor[query]())
	if err != nil {
		t.Fatal(err)
	}
	text, err := schema.Stub("find", "Finds.", s, s)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"def find(text: str, *, since: datetime | str, author: Author, state: Literal['open', 'closed'] = 'open', limit: int = ...,",
		"wait: int = ..., blob: bytes | str = ..., big: int = ..., editor: Author | None = ..., labels: dict[str, str] = ..., extra: Any = ..., parent: Query = ..., count: int = ...) -> ",
		"text: What to find, such as go, python (at least 1 character)",
		"wait: How long to wait (nanoseconds)",
		"name: str  # Full name, family name last",
		"    since: datetime\n", "    blob: NotRequired[bytes]",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if _, list := v["type"].([]any); list {
				t.Error("a list of types, which Gemini refuses:", v)
			}
			for _, x := range v {
				walk(x)
			}
		case []any:
			for _, x := range v {
				walk(x)
			}
		}
	}
	var doc map[string]any
	if err := json.Unmarshal(s.JSON(), &doc); err != nil {
		t.Fatal(err)
	}
	walk(doc)
	if doc["type"] != "object" || doc["properties"] == nil {
		t.Errorf("the root is no object: %s", s.JSON())
	}
	good := map[string]any{"text": "x", "since": "2026-01-02T03:04:05Z", "author": map[string]any{"name": "n"}, "editor": nil}
	if err := s.Validate(good); err != nil {
		t.Error(err)
	}
	good["count"] = int64(256)
	if err := s.Validate(good); err == nil || err.Error() != "count: expected at most 255, got int 256" {
		t.Error(err)
	}
}

func TestResultsOfAnyShapeHaveSchemas(t *testing.T) {
	for _, test := range []struct {
		typ  reflect.Type
		want string
	}{
		{reflect.TypeFor[string](), `{"type":"string"}`},
		{reflect.TypeFor[[]int](), `{"items":{"type":"integer"},"type":"array"}`},
		{reflect.TypeFor[map[int]bool](), `{"patternProperties":{"^-?[0-9]+$":{"type":"boolean"}},"additionalProperties":false,"type":"object"}`},
		{reflect.TypeFor[any](), `{}`},
		{reflect.TypeFor[struct{}](), `{"properties":{},"additionalProperties":false,"type":"object"}`},
		{reflect.TypeFor[json.RawMessage](), `{}`},
		{reflect.TypeFor[time.Duration](), `{"type":"integer","description":"nanoseconds"}`},
		{reflect.TypeFor[page[author]](), `{"properties":{"items":{"items":{"$ref":"#/$defs/author"},"type":"array"},"next":{"anyOf":[{"type":"integer"},{"type":"null"}]}},"additionalProperties":false,"type":"object","required":["items"],"$defs":{"author":{"properties":{"name":{"type":"string","description":"Full name, family name last"},"mail":{"type":"string","format":"email"}},"additionalProperties":false,"type":"object","required":["name"]}}}`},
	} {
		s, err := schema.For(test.typ)
		if err != nil {
			t.Errorf("%s: %v", test.typ, err)
			continue
		}
		if diff := cmp.Diff(test.want, string(s.JSON())); diff != "" {
			t.Errorf("%s (-want +got)\n%s", test.typ, diff)
		}
	}
}

func TestTypesWithoutJSONAreRefusedByFieldName(t *testing.T) {
	type typo struct {
		A int `jsonschema:"minimun=3"`
	}
	type holds struct{ Deep []struct{ F func() } }
	for _, test := range []struct {
		typ  reflect.Type
		want string
	}{
		{reflect.TypeFor[chan int](), "chan int: no JSON Schema"},
		{reflect.TypeFor[holds](), ".Deep[].F: no JSON Schema for the type func()"},
		{reflect.TypeFor[map[float64]int](), "keys of type float64"},
		{reflect.TypeFor[typo](), `.A: jsonschema tag: "minimun=3" is not understood`},
		{nil, "untyped nil"},
	} {
		if _, err := schema.For(test.typ); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: got %v, want %q", test.typ, err, test.want)
		}
	}
}
