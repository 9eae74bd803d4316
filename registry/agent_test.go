package registry_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/registry"
)

// writer takes text, as most agents do.
type writer struct{ name string }

func (w *writer) Run(_ context.Context, topic string) (string, error) {
	if topic == "" {
		return "", errors.New("about what?")
	}
	return w.name + " on " + topic, nil
}

type review struct {
	Text   string `json:"text"`
	Strict bool   `json:"strict,omitempty"`
}

// reviewer takes fields.
type reviewer struct{}

func (reviewer) Run(_ context.Context, in review) (map[string]bool, error) {
	return map[string]bool{"good": !in.Strict}, nil
}

func TestAgentsAreCalledLikeTools(t *testing.T) {
	reg := registry.New()
	registry.AddAgent(reg, "writer", "Writes.", &writer{"Ada"})
	registry.AddAgent(reg, "review-er", "Reviews.", reviewer{}, registry.Policy{ReadOnly: true})
	registry.AddAgent(reg, "echo", "", registry.Agent[map[string]any, any](anything{}))
	reg.Add(registry.Tool{Name: "tool"})
	if err := reg.Err(); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][3]string{
		{"agents.writer", `{"input":"tides"}`, `"Ada on tides"`},
		{"agents.review-er", `{"text":"x","strict":true}`, `{"good":false}`},
		{"agents.echo", `{"a":[1]}`, `{"a":[1]}`},
	} {
		if got := success(t, reg, c[0], c[1]); got != c[2] {
			t.Errorf("%s gave %s", c[0], got)
		}
	}
	if told := failure(t, reg, "agents.writer", `{"input":""}`); told.Message != "about what?" {
		t.Errorf("got %v", told)
	}
	if told := failure(t, reg, "agents.writer", `{"input":5}`); told.Kind != registry.KindInvalidArguments {
		t.Errorf("got %v", told)
	}
	names := map[registry.EntryKind]string{}
	for _, kind := range []registry.EntryKind{registry.EntryTool, registry.EntryAgent} {
		for _, e := range reg.Entries(kind) {
			names[kind] += e.Name() + " "
			if e.Kind() != kind {
				t.Errorf("%s has the kind %s", e.Name(), e.Kind())
			}
		}
	}
	if diff := cmp.Diff(map[registry.EntryKind]string{"tool": "tool ", "agent": "agents.echo agents.review-er agents.writer "}, names); diff != "" {
		t.Error(diff)
	}
	if e, ok := reg.Agent("review-er"); !ok || !e.Policy().ReadOnly || e.Description() != "Reviews." {
		t.Errorf("found %v", e)
	}
	if _, ok := reg.Agent("tool"); ok {
		t.Error("a tool is found as an agent")
	}
}

type anything struct{}

func (anything) Run(_ context.Context, in map[string]any) (any, error) { return in, nil }

func TestAgentsThatCannotBeRegistered(t *testing.T) {
	for _, c := range []struct {
		do   func(*registry.Registry) error
		want string
	}{
		{func(r *registry.Registry) error { return registry.AddAgent(r, "a", "", (*writer)(nil)) }, "the agent is nil"},
		{func(r *registry.Registry) error { return registry.AddAgent[string, string](r, "a", "", nil) }, "the agent is nil"},
		{func(r *registry.Registry) error { return registry.AddAgent(r, "", "", &writer{}) }, "an agent needs a name"},
		{func(r *registry.Registry) error {
			return registry.AddAgent(r, "a", "", &writer{}, registry.Policy{Retries: 1})
		}, "would repeat"},
		{func(r *registry.Registry) error {
			return errors.Join(registry.AddAgent(r, "a", "", &writer{}), registry.AddAgent(r, "a", "", reviewer{}))
		}, "already a tool of this name, from"},
	} {
		reg := registry.New()
		err := c.do(reg)
		if fault.CodeOf(err) != fault.Invalid || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "agent_test.go:") {
			t.Errorf("want %s, got %v", c.want, err)
		}
		if reg.Err() == nil {
			t.Errorf("Err forgot %v", err)
		}
	}
}
