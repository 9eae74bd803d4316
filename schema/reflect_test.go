package schema_test

import (
	"encoding/json"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/codemode-sdk/codemode/schema"
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
	out, err := schema.ForResult(reflect.TypeFor[query]())
	if err != nil {
		t.Fatal(err)
	}
	text, err := schema.Stub("find", "Finds.", s, out)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"def find(text: str, *, since: datetime | str, author: Author, state: Literal['open', 'closed'] = 'open', limit: int = ...,",
		"wait: timedelta | str = ..., blob: bytes | str = ..., big: int = ..., editor: Author | None = ..., labels: dict[str, str] = ..., extra: Any = ..., parent: Query = ..., count: int = ...) -> ",
		"text: What to find, such as go, python (at least 1 character)",
		"wait: How long to wait\n", "since: with a timezone\n",
		"name: str  # Full name, family name last",
		"    since: datetime\n", "    blob: NotRequired[bytes]", "    wait: NotRequired[timedelta]", "    editor: Author | None\n",
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
		{reflect.TypeFor[time.Duration](), `{"type":"string","format":"duration"}`},
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

type level int

func (l level) MarshalText() ([]byte, error) { return []byte("level"), nil }

type hidden struct {
	Same int    `json:"same"`
	Base string `json:"base"`
}

// A model reads the stub and nothing else: it must say what the encoding does.
func TestStubsOfGoTypesSayWhatTravels(t *testing.T) {
	for _, test := range []struct {
		typ                reflect.Type
		argument, received string
	}{
		{reflect.TypeFor[time.Duration](), "timedelta | str", "timedelta"},
		{reflect.TypeFor[time.Time](), "datetime | str", "datetime"},
		{reflect.TypeFor[[]byte](), "bytes | str", "bytes"},
		{reflect.TypeFor[[2]byte](), "list[int]", "list[int]"},
		{reflect.TypeFor[map[int]string](), "dict[int, str]", "dict[int, str]"},
		{reflect.TypeFor[map[uint8][]time.Time](), "dict[int, list[datetime | str]]", "dict[int, list[datetime]]"},
		{reflect.TypeFor[map[string]map[int64]bool](), "dict[str, dict[int, bool]]", "dict[str, dict[int, bool]]"},
		{reflect.TypeFor[map[level]int](), "dict[str, int]", "dict[str, int]"},
		{reflect.TypeFor[map[time.Duration]int](), "dict[timedelta, int]", "dict[timedelta, int]"},
		{reflect.TypeFor[map[time.Time]any](), "dict[datetime, Any]", "dict[datetime, Any]"},
		{reflect.TypeFor[map[string]any](), "dict[str, Any]", "dict[str, Any]"},
		{reflect.TypeFor[map[int]any](), "dict[int, Any]", "dict[int, Any]"},
		{reflect.TypeFor[[]*int](), "list[int]", "list[int | None]"},
		{reflect.TypeFor[map[string]*author](), "dict[str, Author]", "dict[str, Author | None]"},
		{reflect.TypeFor[*big.Int](), "int", "int | None"},
		{reflect.TypeFor[*time.Time](), "datetime | str", "datetime | None"},
		{reflect.TypeFor[*any](), "Any", "Any"},
		{reflect.TypeFor[big.Rat](), "str", "str"},
	} {
		in, err := schema.For(reflect.StructOf([]reflect.StructField{{Name: "X", Type: test.typ, Tag: `json:"x" jsonschema:"required"`}}))
		if err != nil {
			t.Errorf("%s: %v", test.typ, err)
			continue
		}
		out, err := schema.ForResult(test.typ)
		if err != nil {
			t.Errorf("%s: %v", test.typ, err)
			continue
		}
		text, err := schema.Stub("f", "", in, out)
		if err != nil {
			t.Fatal(err)
		}
		argument := test.argument
		if test.typ.Kind() == reflect.Pointer && argument != "Any" {
			argument += " | None" // a field can say so, and does
		}
		if want := "def f(x: " + argument + ") -> " + test.received + ":"; !strings.Contains(text, want) {
			t.Errorf("%s: no %s in\n%s", test.typ, want, text)
		}
		if strings.Contains(string(in.JSON())+string(out.JSON()), "x-codemode") {
			t.Errorf("%s: a mark is left in %s or %s", test.typ, in.JSON(), out.JSON())
		}
	}
}

type issue struct {
	Title    string         `json:"title"`
	Parent   *issue         `json:"parent"`
	Children []*issue       `json:"children"`
	Linked   map[int]*issue `json:"linked"`
}

// A type that contains itself is shown once, without names for its parts.
func TestRecursiveGoTypesStayReadable(t *testing.T) {
	out, err := schema.ForResult(reflect.TypeFor[*issue]())
	if err != nil {
		t.Fatal(err)
	}
	got, err := schema.Stub("get", "", nil, out)
	if err != nil {
		t.Fatal(err)
	}
	want := `class Issue(TypedDict):
    title: str
    parent: Issue | None
    children: list[Issue | None]
    linked: dict[int, Issue | None]

def get() -> Issue | None: ...
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// A Go string with a format is a str, whatever the format says.
func TestFormatsOfGoStringsStayText(t *testing.T) {
	type formats struct {
		When string        `json:"when" jsonschema:"format=date-time"`
		Blob string        `json:"blob" jsonschema:"format=byte"`
		Wait time.Duration `json:"wait,string"`
	}
	in, err := schema.For(reflect.TypeFor[formats]())
	if err != nil {
		t.Fatal(err)
	}
	out, err := schema.ForResult(reflect.TypeFor[formats]())
	if err != nil {
		t.Fatal(err)
	}
	text, err := schema.Stub("f", "", in, out)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"(when: datetime | str, blob: str, wait: str)", "    when: str  # date-time\n", "    blob: str  # byte\n", "    wait: str\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

// Which of two fields of one name counts is for encoding/json to say.
func TestEmbeddedFieldsAreThoseOfEncodingJSON(t *testing.T) {
	type Deep struct {
		Kept string `json:"kept"`
	}
	type outer struct {
		Same string `json:"same"`
		hidden
		*Deep
	}
	want := `{"properties":{"same":{"type":"string"},"base":{"type":"string"},"kept":{"type":"string"}},"additionalProperties":false,"type":"object","required":["same","base"]}`
	for _, derive := range []func(reflect.Type, ...schema.Docs) (*schema.Schema, error){schema.For, schema.ForResult} {
		s, err := derive(reflect.TypeFor[outer]())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(s.JSON())); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
}

// A mark is ours alone: a document from elsewhere cannot rename types with it.
func TestForeignMarksMeanNothing(t *testing.T) {
	s := parse(t, `{"properties":{"a":{"type":"string","x-codemode-python":"bytes"}}}`)
	text, err := schema.Stub("f", "", s, s)
	if err != nil || !strings.Contains(text, "a: str = ...") {
		t.Errorf("%v\n%s", err, text)
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
