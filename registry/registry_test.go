package registry_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/internal/waittest"
	"github.com/codemode-sdk/codemode/registry"
)

func TestWhatCannotBeRegistered(t *testing.T) {
	object := json.RawMessage(`{"type":"object"}`)
	add := func(tools ...registry.Tool) func(*registry.Registry) error {
		return func(r *registry.Registry) (err error) {
			for _, tool := range tools {
				err = r.Add(tool)
			}
			return err
		}
	}
	for _, c := range []struct {
		name string
		do   func(*registry.Registry) error
		want []string
	}{
		{"no name", add(registry.Tool{}), []string{"needs a name"}},
		{"a long name", add(registry.Tool{Name: strings.Repeat("a", 257)}), []string{"257 bytes", "256"}},
		{"a name with a line break", add(registry.Tool{Name: "a\nb"}), []string{"control character"}},
		{"a name that is not UTF-8", add(registry.Tool{Name: "a\xff"}), []string{"not UTF-8"}},
		{"a description that is not UTF-8", add(registry.Tool{Name: "a", Description: "\xff"}), []string{"not UTF-8"}},
		{"a schema that is not JSON", add(registry.Tool{Name: "a", InputSchema: json.RawMessage(`{`)}), []string{"the schema of its arguments"}},
		{"a schema of no object", add(registry.Tool{Name: "a", InputSchema: json.RawMessage(`{"type":"string"}`)}), []string{"object"}},
		{"a result schema that is not JSON", add(registry.Tool{Name: "a", OutputSchema: json.RawMessage(`{`)}), []string{"the schema of its result"}},
		{"a name twice", add(registry.Tool{Name: "a"}, registry.Tool{Name: "a", InputSchema: object}), []string{`"a"`, "already a tool of this name, from", "registry_test.go:"}},
		{"one spelling for two", add(registry.Tool{Name: "n.get-it"}, registry.Tool{Name: "n.get_it"}), []string{`"n.get_it"`, `"n.get-it"`, "tools.n.get_it", "from", "rename"}},
		{"an argument that is no struct", func(r *registry.Registry) error {
			return registry.Func(r, "a", "", func(context.Context, string) (int, error) { return 0, nil })
		}, []string{"its argument type is string", "take a struct", "registry_test.go:"}},
		{"a slice of structs", func(r *registry.Registry) error {
			return registry.Func(r, "a", "", func(context.Context, []struct{ A int }) (int, error) { return 0, nil })
		}, []string{"take a struct"}},
		{"a struct that decodes itself", func(r *registry.Registry) error {
			return registry.Func(r, "a", "", func(context.Context, time.Time) (int, error) { return 0, nil })
		}, []string{"its argument type is time.Time"}},
		{"an interface", func(r *registry.Registry) error {
			return registry.Func(r, "a", "", func(context.Context, any) (int, error) { return 0, nil })
		}, []string{"take a struct"}},
		{"an argument that cannot be sent", func(r *registry.Registry) error {
			return registry.Func(r, "a", "", func(context.Context, struct{ C chan int }) (int, error) { return 0, nil })
		}, []string{"the schema of its arguments"}},
		{"a result that cannot be sent", func(r *registry.Registry) error {
			return registry.Func(r, "a", "", func(context.Context, struct{}) (func(), error) { return nil, nil })
		}, []string{"the schema of its result"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			reg := registry.New()
			err := c.do(reg)
			if err == nil {
				t.Fatal("accepted")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is missing in: %v", want, err)
				}
			}
			if fault.CodeOf(err) != fault.Invalid {
				t.Errorf("code %s", fault.CodeOf(err))
			}
			if kept := reg.Err(); kept == nil || !strings.Contains(kept.Error(), err.Error()) {
				t.Errorf("Err forgot it: %v", kept)
			}
		})
	}
}

func TestNamesFoundInTheWild(t *testing.T) {
	var reg registry.Registry // the zero value works
	names := []string{"math.factorial", "API-create-a-comment", "help", "sum", "github", "github.get_issue", "from", "名前", "a b/c", strings.Repeat("é", 128)}
	for _, name := range names {
		if err := reg.Add(registry.Tool{Name: name}); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range names {
		if e, ok := reg.Lookup(name); !ok || e.Name() != name {
			t.Errorf("%q is not found", name)
		}
	}
	e, _ := reg.Lookup("github.get_issue")
	if diff := cmp.Diff([]string{"github", "get_issue"}, e.PythonPath()); diff != "" {
		t.Error(diff)
	}
	e, _ = reg.Lookup("API-create-a-comment")
	if diff := cmp.Diff([]string{"API_create_a_comment"}, e.PythonPath()); diff != "" {
		t.Error(diff)
	}
}

func TestEntry(t *testing.T) {
	type in struct {
		City string `json:"city"`
		Days int    `json:"days,omitempty"`
	}
	reg := registry.New()
	reg.Add(registry.Tool{Name: "b", Description: "Does b."})
	registry.Func(reg, "a", "Looks up the weather.", func(context.Context, in) (float64, error) { return 0, nil })
	if err := reg.Err(); err != nil {
		t.Fatal(err)
	}
	entries := reg.Entries()
	if len(entries) != 2 || entries[0].Name() != "a" || entries[1].Name() != "b" {
		t.Fatalf("entries are not sorted by name: %v", entries)
	}
	a, b := entries[0], entries[1]
	var parameters []string
	for _, p := range a.Parameters() {
		parameters = append(parameters, fmt.Sprintf("%s %s %v", p.Name, p.PythonName, p.Required))
	}
	if diff := cmp.Diff([]string{"city city true", "days days false"}, parameters); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(a.Stub(), "def a(city: str") || !strings.Contains(a.Stub(), "Looks up the weather.") {
		t.Errorf("the stub is\n%s", a.Stub())
	}
	if a.Input() == nil || a.Output() == nil || b.Input() == nil || b.Output() != nil {
		t.Error("schemas: typed tools have both, raw ones what they were given")
	}
	if !a.Connected() || b.Connected() || b.Description() != "Does b." {
		t.Error("b has no handler")
	}
	if !strings.Contains(a.Origin(), "registry_test.go:") {
		t.Errorf("origin %s", a.Origin())
	}
}

func TestRegistryIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("registers 10,001 tools")
	}
	reg, begun := registry.New(), time.Now()
	for i := range registry.MaxTools {
		if err := reg.Add(registry.Tool{Name: fmt.Sprintf("tool%d", i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := reg.Add(registry.Tool{Name: "more"}); err == nil || !strings.Contains(err.Error(), "at most 10000") {
		t.Errorf("got %v", err)
	}
	registering := time.Since(begun)
	waittest.Until(t, "looking for near names takes longer than registering all tools", func() bool {
		begun := time.Now()
		if told := failure(t, reg, "tolo77777", ""); told.Kind != registry.KindUnknownTool {
			t.Errorf("got %v", told)
		}
		return time.Since(begun) < registering
	})
}

func FuzzNames(f *testing.F) {
	for _, name := range []string{"a", "a.b", "..", "a..b", "agents.", "from", "a-b", "\x00", "\xff", "名.前", "a b", "__class__"} {
		f.Add(name, name+"_")
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		reg := registry.New()
		paths := map[string]string{}
		for _, name := range []string{first, second} {
			if reg.Add(registry.Tool{Name: name}) != nil {
				continue
			}
			e, ok := reg.Lookup(name)
			if !ok {
				t.Fatalf("%q is registered and not found", name)
			}
			path := strings.Join(e.PythonPath(), ".")
			if other, taken := paths[path]; taken {
				t.Fatalf("%q and %q are both tools.%s", name, other, path)
			}
			paths[path] = name
			for _, part := range e.PythonPath() {
				if part == "" || strings.ContainsAny(part, " .-()'\"\n\x00") {
					t.Fatalf("%q is spelled %q", name, path)
				}
			}
		}
		if reg.Replace(&source{name: "s", diary: new([]string)}, toolsNamed(first, second)...) == nil && len(paths) > 0 {
			t.Fatalf("%q and %q clash with nobody", first, second)
		}
	})
}
