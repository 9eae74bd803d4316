package registry_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/registry"
)

type WeatherAPI struct{ unit string }

type place struct {
	City string `json:"city"`
}

func (w *WeatherAPI) ForecastFor(_ context.Context, in place) (string, error) {
	if in.City == "" {
		return "", errors.New("where?")
	}
	return in.City + " in " + w.unit, nil
}
func (w *WeatherAPI) GetHTTPStatus() int           { return 200 }
func (w *WeatherAPI) Reset(*place) error           { return nil }
func (w *WeatherAPI) Touch(context.Context)        {}
func (w WeatherAPI) Unit(_ map[string]any) *string { return &w.unit }

type odd struct{}

func (odd) Good() int                               { return 1 }
func (odd) Plain(string, int) int                   { return 1 }
func (odd) Text(string) int                         { return 1 }
func (odd) Two() (int, int)                         { return 1, 2 }
func (odd) Variadic(...place) int                   { return 1 }
func (odd) Channel(context.Context, place) chan int { return nil }

func TestEveryMethodOfAStructBecomesATool(t *testing.T) {
	reg := registry.New()
	err := registry.AddMethods(reg, &WeatherAPI{"Celsius"}, registry.Methods{
		Descriptions: map[string]string{"ForecastFor": "Looks ahead."},
		Policies:     map[string]registry.Policy{"ForecastFor": {ReadOnly: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range [][3]string{
		{"weather_api.forecast_for", `{"city":"Oslo"}`, `"Oslo in Celsius"`},
		{"weather_api.get_http_status", `{}`, `200`},
		{"weather_api.reset", `{"city":"x"}`, `null`},
		{"weather_api.touch", ``, `null`},
		{"weather_api.unit", `{"any":1}`, `"Celsius"`},
	} {
		if got := success(t, reg, c[0], c[1]); got != c[2] {
			t.Errorf("%s gave %s", c[0], got)
		}
	}
	if told := failure(t, reg, "weather_api.forecast_for", `{"city":""}`); told.Message != "where?" {
		t.Errorf("got %v", told)
	}
	if told := failure(t, reg, "weather_api.forecast_for", `{}`); told.Kind != registry.KindInvalidArguments {
		t.Errorf("got %v", told)
	}
	e, _ := reg.Lookup("weather_api.forecast_for")
	if e.Description() != "Looks ahead." || !e.Policy().ReadOnly || !strings.Contains(e.Origin(), "methods_test.go:") {
		t.Errorf("got %q, %+v, %s", e.Description(), e.Policy(), e.Origin())
	}
}

func TestMethodsThatCannotBeToolsAreNamed(t *testing.T) {
	reg := registry.New()
	err := registry.AddMethods(reg, odd{}, registry.Methods{Policies: map[string]registry.Policy{"Gone": {}}})
	for _, want := range []string{
		"the method Plain: it takes several arguments", "the method Text: it takes a string", "the method Two: it gives several values",
		"the method Variadic: it takes several", "the method Channel: ", "there is no method Gone", "methods_test.go:",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in %v", want, err)
		}
	}
	if fault.CodeOf(err) != fault.Invalid || reg.Err() == nil {
		t.Errorf("code %s, kept %v", fault.CodeOf(err), reg.Err())
	}
	reg = registry.New()
	if err := registry.AddMethods(reg, odd{}, registry.Methods{SkipUnusable: true}); err != nil || namesOf(reg) != "odd.good" {
		t.Errorf("skipping: %v, %s", err, namesOf(reg))
	}
	if err := registry.AddMethods(reg, &struct{ odd }{}, registry.Methods{}); err == nil || !strings.Contains(err.Error(), "Methods.Namespace") {
		t.Errorf("a type without a name: %v", err)
	}
	for _, bad := range []any{nil, (*WeatherAPI)(nil), place{}} {
		if err := registry.AddMethods(registry.New(), bad, registry.Methods{}); err == nil {
			t.Errorf("%T is accepted", bad)
		}
	}
}
