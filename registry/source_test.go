package registry_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/registry"
)

// source gives one tool of its name, and writes down what happens to it.
type source struct {
	name  string
	tools []string
	fail  error // of Start, after the tools were given
	down  error // of Ready
	diary *[]string
}

func (s *source) String() string { return s.name }

func (s *source) Start(ctx context.Context, reg *registry.Registry) error {
	*s.diary = append(*s.diary, "start "+s.name)
	if err := reg.Replace(s, toolsNamed(s.tools...)...); err != nil {
		return err
	}
	return s.fail
}

func (s *source) Ready() error { return s.down }

func (s *source) Close() error {
	*s.diary = append(*s.diary, "close "+s.name)
	return nil
}

func toolsNamed(names ...string) []registry.Tool {
	var tools []registry.Tool
	for _, name := range names {
		tools = append(tools, registry.Tool{Name: name})
	}
	return tools
}

func namesOf(reg *registry.Registry) string {
	var names []string
	for _, e := range reg.Entries() {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

func TestSourcesStartInOrderAndCloseInTheOppositeOne(t *testing.T) {
	var diary []string
	reg := registry.New()
	reg.Add(registry.Tool{Name: "own"})
	reg.Attach(&source{name: "a", tools: []string{"a.x"}, diary: &diary})
	reg.Attach(&source{name: "b", tools: []string{"b.x"}, diary: &diary})
	if err := reg.Ready(); err == nil || !strings.Contains(err.Error(), "the source a is not ready: it has not been started") {
		t.Errorf("before Start, Ready gives %v", err)
	}
	for range 2 { // the second is that of another user of the same registry
		if err := reg.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := reg.Ready(); err != nil {
		t.Error(err)
	}
	if err := reg.Close(); err != nil {
		t.Fatal(err)
	}
	if got := namesOf(reg); got != "a.x b.x own" {
		t.Errorf("the first of two users closed the other's sources: %s", got)
	}
	for range 2 {
		if err := reg.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if got := namesOf(reg); got != "own" {
		t.Errorf("after Close there are %s", got)
	}
	if diff := cmp.Diff([]string{"start a", "start b", "close b", "close a"}, diary); diff != "" {
		t.Error(diff)
	}
	if err := reg.Start(t.Context()); err != nil || namesOf(reg) != "a.x b.x own" {
		t.Errorf("a second life: %v, %s", err, namesOf(reg))
	}
}

func TestASourceThatFailsLeavesNothingBehind(t *testing.T) {
	var diary []string
	reg := registry.New()
	reg.Attach(&source{name: "a", tools: []string{"a.x"}, diary: &diary})
	bad := &source{name: "b", tools: []string{"b.x"}, fail: fault.New(fault.Unauthenticated, "no key"), diary: &diary}
	reg.Attach(bad)
	reg.Attach(&source{name: "c", diary: &diary})
	err := reg.Start(t.Context())
	if fault.CodeOf(err) != fault.Unauthenticated || !strings.Contains(err.Error(), "cannot start the source b: no key") {
		t.Errorf("got %v", err)
	}
	if got := namesOf(reg); got != "" {
		t.Errorf("there are %s", got)
	}
	if diff := cmp.Diff([]string{"start a", "start b", "close a"}, diary); diff != "" {
		t.Error(diff)
	}
	bad.fail = nil
	if err := reg.Start(t.Context()); err != nil {
		t.Errorf("it cannot be tried again: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	other := registry.New()
	other.Attach(&source{name: "a", diary: &diary})
	if err := other.Start(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled start gives %v", err)
	}
}

func TestReadyAsksTheSources(t *testing.T) {
	var diary []string
	reg := registry.New()
	s := &source{name: "a", diary: &diary}
	reg.Attach(s)
	if err := reg.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.down = errors.New("the server has died")
	if err := reg.Ready(); err == nil || !strings.Contains(err.Error(), "the source a is not ready: the server has died") {
		t.Errorf("got %v", err)
	}
}

func TestAToolListChangesInOneStepOrNotAtAll(t *testing.T) {
	var diary []string
	reg := registry.New()
	reg.Add(registry.Tool{Name: "own"})
	a, b := &source{name: "the server a", diary: &diary}, &source{name: "the server b", diary: &diary}
	if err := errors.Join(reg.Replace(a, toolsNamed("a.x", "a.y")...), reg.Replace(b, toolsNamed("b.x")...)); err != nil {
		t.Fatal(err)
	}
	var readers sync.WaitGroup
	stop := make(chan struct{})
	readers.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			if got := namesOf(reg); got != "a.x a.y b.x own" && got != "a.y a.z b.x own" {
				t.Errorf("seen in between: %s", got)
				return
			}
		}
	})
	for range 50 {
		for _, names := range [][]string{{"a.y", "a.z"}, {"a.x", "a.y"}} {
			if err := reg.Replace(a, toolsNamed(names...)...); err != nil {
				t.Fatal(err)
			}
		}
	}
	close(stop)
	readers.Wait()

	err := reg.Replace(a, toolsNamed("a.new", "own", "b.x", "")...)
	if fault.CodeOf(err) != fault.Invalid {
		t.Errorf("code %s", fault.CodeOf(err))
	}
	err = errors.Join(err, reg.Replace(a, toolsNamed("a.new", "own", "b.x")...))
	for _, want := range []string{
		`cannot register the tool "" from the server a`, "needs a name",
		`cannot register the tool "own" from the server a`, "already a tool of this name, from ", "source_test.go:",
		`cannot register the tool "b.x" from the server a`, "already a tool of this name, from the server b at ",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in: %v", want, err)
		}
	}
	if got := namesOf(reg); got != "a.x a.y b.x own" {
		t.Errorf("a list that cannot be registered changed something: %s", got)
	}
	if err := reg.Err(); err != nil {
		t.Errorf("what a source does about its tools is kept: %v", err)
	}
	if !reg.Remove("own") || reg.Remove("own") || namesOf(reg) != "a.x a.y b.x" {
		t.Errorf("after Remove: %s", namesOf(reg))
	}
	if err := reg.Add(registry.Tool{Name: "own"}); err != nil {
		t.Errorf("a name that was removed cannot be used again: %v", err)
	}
}

type sliceSource []string

func (sliceSource) Start(context.Context, *registry.Registry) error { return nil }
func (sliceSource) Close() error                                    { return nil }

func TestWhatIsNoSource(t *testing.T) {
	s := &source{name: "a", diary: new([]string)}
	for _, c := range []struct {
		sources []registry.Source
		want    string
	}{
		{[]registry.Source{nil}, "it is nil"},
		{[]registry.Source{(*source)(nil)}, "it is nil"},
		{[]registry.Source{sliceSource{}}, "cannot be compared (use a pointer to it)"},
		{[]registry.Source{s, s}, "attached already"},
	} {
		reg := registry.New()
		var err error
		for _, s := range c.sources {
			err = reg.Attach(s)
		}
		if fault.CodeOf(err) != fault.Invalid || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "source_test.go:") {
			t.Errorf("want %q, got %v", c.want, err)
		}
		if reg.Err() == nil {
			t.Errorf("Err forgot: %v", err)
		}
		if !slices.Contains(c.sources, registry.Source(s)) {
			if err := reg.Replace(c.sources[0]); err == nil {
				t.Errorf("Replace takes what cannot be attached: %s", c.want)
			}
		}
	}
}
