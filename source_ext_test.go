package codemode_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/registry"
)

// A greeter is a source of one tool.
type greeter struct {
	running bool
	fail    error
}

func (g *greeter) Start(_ context.Context, reg *registry.Registry) error {
	g.running = g.fail == nil
	return errors.Join(g.fail, reg.Replace(g, registry.Tool{
		Name:    "greeter.greet",
		Handler: func(context.Context, registry.Args) (any, error) { return "hello", nil },
	}))
}

func (g *greeter) Close() error {
	g.running = false
	return nil
}

func TestSourcesRunAsLongAsTheCodemodeDoes(t *testing.T) {
	g := &greeter{}
	reg := registry.New()
	reg.Attach(g)
	cm, err := codemode.New(inMode(codemode.Options{Registry: reg}))
	if err != nil {
		t.Fatal(err)
	}
	if got := run(t, cm, `tools.greeter.greet()`); got.Value != "hello" {
		t.Errorf("got %v", got.Value)
	}
	if err := cm.Close(); err != nil {
		t.Error(err)
	}
	if g.running {
		t.Error("the source still runs")
	}
}

func TestASourceThatCannotStartIsAnErrorOfNew(t *testing.T) {
	reg := registry.New()
	reg.Attach(&greeter{fail: errors.New("nobody is there")})
	if cm, err := codemode.New(codemode.Options{Registry: reg}); err == nil || !strings.Contains(err.Error(), "nobody is there") {
		t.Errorf("got %v, %v", cm, err)
	}
}

func TestSourcesAreClosedWhenNewFailsLater(t *testing.T) {
	g := &greeter{}
	reg := registry.New()
	reg.Attach(g)
	cfg := config.Default()
	cfg.Executor.Python = "/nonexistent/python3"
	if _, err := codemode.New(codemode.Options{Registry: reg, Config: cfg}); codemode.CodeOf(err) != codemode.CodePython {
		t.Errorf("got %v", err)
	}
	if g.running {
		t.Error("the source still runs")
	}
}
