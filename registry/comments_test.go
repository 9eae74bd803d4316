package registry_test

import (
	"context"
	"errors"
	"iter"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/codemode-sdk/codemode/registry"
	"github.com/codemode-sdk/codemode/registry/internal/weather"
)

// A Station measures.
type Station struct {
	base
}

type base struct{}

// Wind gives the wind at a station,
// as [Reading] has it.
//
// Gusts are left out.
func (base) Wind(context.Context, where) (Reading, error) { return Reading{Speed: 3}, nil }

// where to look.
type where struct {
	// Name is the station's.
	Name string `json:"name"`
	weather.Span
	Unit string `json:"unit,omitempty" jsonschema:"description=what the tag says"` // what the comment says
}

// A Reading is one measurement.
type Reading struct {
	Speed float64 `json:"speed"` // in metres per second
}

// The comment begins otherwise.
func (*Station) Calm() bool { return true }

func (*Station) Bare() {}

// History gives readings, the newest first.
func (*Station) History(_ context.Context, in where) iter.Seq2[Reading, error] {
	return func(yield func(Reading, error) bool) {
		for i := range 3 {
			if !yield(Reading{Speed: float64(i)}, nil) {
				return
			}
		}
		yield(Reading{}, errors.New("no older ones of "+in.Name))
	}
}

func stubOf(t *testing.T, reg *registry.Registry, name string) string {
	t.Helper()
	e, ok := reg.Lookup(name)
	if !ok {
		t.Fatalf("there is no %s", name)
	}
	return e.Stub()
}

func TestAModelReadsTheCommentsOfMethodsTypesAndFields(t *testing.T) {
	reg := registry.New()
	if err := registry.AddMethods(reg, &Station{}, registry.Methods{}); err != nil {
		t.Fatal(err)
	}
	for name, wants := range map[string][]string{
		"station.wind": {
			"Gives the wind at a station, as Reading has it.", "Gusts are left out.", "Name is the station's.",
			"what the tag says", "Days to look back.", "A Reading is one measurement.", "in metres per second",
		},
		"station.calm":    {"The comment begins otherwise."},
		"station.history": {"Gives readings, the newest first.", "Iterator[Reading]"},
	} {
		stub := stubOf(t, reg, name)
		for _, want := range wants {
			if !strings.Contains(stub, want) {
				t.Errorf("%q is missing in\n%s", want, stub)
			}
		}
		if strings.Contains(stub, "what the comment says") || strings.Contains(stub, "where to look") {
			t.Errorf("a comment is there that a tag or a description replaces:\n%s", stub)
		}
	}
	if e, _ := reg.Lookup("station.bare"); e.Description() != "" {
		t.Errorf("a method without a comment has %q", e.Description())
	}
}

func TestAMethodThatGivesRowsStreams(t *testing.T) {
	reg := registry.New()
	if err := registry.AddMethods(reg, &Station{}, registry.Methods{}); err != nil {
		t.Fatal(err)
	}
	rows := func(most int) (given []string) {
		for row, err := range reg.NewRun(registry.RunOptions{}).Rows(t.Context(), "station.history", []byte(`{"name":"x","days":1}`), nil) {
			if err != nil {
				return append(given, err.Error())
			}
			if given = append(given, string(row)); len(given) == most {
				break
			}
		}
		return given
	}
	if got := strings.Join(rows(9), " "); got != `{"speed":0.0} {"speed":1.0} {"speed":2.0} tool station.history: no older ones of x` {
		t.Errorf("got %s", got)
	}
	if got := len(rows(2)); got != 2 {
		t.Errorf("a loop that is left got %d rows", got)
	}
}

// In production there is no source but what the program carries.
func TestCommentsTravelWithTheProgramOrNotAtAll(t *testing.T) {
	source := fstest.MapFS{
		"a.go":      {Data: []byte("package p\n// Calm says embedded.\nfunc (s *Station) Calm() bool { return true }")},
		"broken.go": {Data: []byte("package p\n// Bare is broken.\nfunc (s *Station) Bare( {")},
		"b_test.go": {Data: []byte("package p_test\n// Bare is of a test.\nfunc (s *Station) Bare() {}")},
		"c.go":      {Data: []byte("package p\n// where is another type now.\ntype where struct{\n// Name lies.\nName string }")},
	}
	for _, c := range []struct {
		source     fstest.MapFS
		calm, bare string
	}{{source, "Says embedded.", ""}, {fstest.MapFS{}, "", ""}} {
		reg := registry.New()
		if err := registry.AddMethods(reg, &Station{}, registry.Methods{Source: c.source}); err != nil {
			t.Fatal(err)
		}
		calm, _ := reg.Lookup("station.calm")
		bare, _ := reg.Lookup("station.bare")
		if calm.Description() != c.calm || bare.Description() != c.bare {
			t.Errorf("got %q and %q", calm.Description(), bare.Description())
		}
		if stub := stubOf(t, reg, "station.wind"); strings.Contains(stub, "Name lies") {
			t.Errorf("a field has the comment of another type's:\n%s", stub)
		}
	}
	reg := registry.New()
	err := registry.AddMethods(reg, &Station{}, registry.Methods{Descriptions: map[string]string{"Calm": "Told."}})
	if e, _ := reg.Lookup("station.calm"); err != nil || e.Description() != "Told." {
		t.Errorf("a description is not preferred: %v, %q", err, e.Description())
	}
}

// A Harbour has methods whose arguments have no type of their own.
type Harbour struct{}

// Tide gives the height of the water.
func (Harbour) Tide(in struct {
	// Hours from now.
	Hours int  `json:"hours"`
	Exact bool `json:"exact,omitempty"` // to the centimetre
}) float64 {
	return float64(in.Hours)
}

func (Harbour) Enter(struct {
	Ship string `json:"ship"` // its name
}) bool {
	return true
}

func (Harbour) Leave(struct {
	Ship string `json:"ship"` // its number
}) bool {
	return true
}

func TestTheCommentsOfAnUnnamedStructAreItsOwn(t *testing.T) {
	reg := registry.New()
	if err := registry.AddMethods(reg, Harbour{}, registry.Methods{}); err != nil {
		t.Fatal(err)
	}
	for name, wants := range map[string][]string{
		"harbour.tide": {"hours: Hours from now.", "exact: to the centimetre"},
		// Which of the two is meant cannot be told, so nothing is.
		"harbour.enter": {"def enter(ship: str) -> bool: ..."},
		"harbour.leave": {"def leave(ship: str) -> bool: ..."},
	} {
		for _, want := range wants {
			if stub := stubOf(t, reg, name); !strings.Contains(stub, want) {
				t.Errorf("%s has no %q:\n%s", name, want, stub)
			}
		}
	}
}
