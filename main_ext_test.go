package codemode_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"testing"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/internal/waittest"
	"github.com/codemode-sdk/codemode/registry"
)

// shared is for the tests and examples that need nothing particular. Its executor is embedded.
var shared *codemode.Codemode

// waiting counts the calls of the tool wait that have not returned.
var waiting atomic.Int32

func TestMain(m *testing.M) {
	code, err := runTests(m)
	if err == nil && code == 0 {
		err = waittest.Goroutines()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func runTests(m *testing.M) (code int, err error) {
	dir, err := os.MkdirTemp("", "codemode-test-")
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	stop, err := startMode(dir)
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	stopExecutor, err := serveCommonExecutor(dir)
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, stopExecutor()) }()
	shared, err = codemode.New(inMode(codemode.Options{Config: patient(), Registry: testTools()}))
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, shared.Close()) }()
	return m.Run(), nil
}

type pair struct {
	A int `json:"a"`
	B int `json:"b,omitempty"`
}

// testTools are add; echo, which gives back what it gets; fail; wait, which waits for
// its context to end, and waiting, which tells of it; and two in namespaces.
func testTools() *registry.Registry {
	reg := registry.New()
	add := func(_ context.Context, p pair) (int, error) { return p.A + p.B, nil }
	registry.Func(reg, "add", "Adds.", add)
	registry.Func(reg, "math.add", "Adds, in a namespace.", add)
	registry.Func(reg, "math.deep.add-up", "Adds, deeper.", add)
	registry.Func(reg, "echo", "Gives back its argument.", func(_ context.Context, in struct {
		Value any `json:"value"`
	}) (any, error) {
		return in.Value, nil
	})
	registry.Func(reg, "fail", "Fails.", func(_ context.Context, in struct {
		Kind string `json:"kind,omitempty"`
	}) (any, error) {
		return nil, &registry.ToolError{Kind: in.Kind, Message: "it did not work"}
	})
	registry.Func(reg, "wait", "Waits.", func(ctx context.Context, _ struct{}) (any, error) {
		waiting.Add(1)
		defer waiting.Add(-1)
		<-ctx.Done()
		return nil, ctx.Err()
	})
	registry.Func(reg, "waiting", "Says whether a call of wait has not returned.", func(context.Context, struct{}) (bool, error) {
		return waiting.Load() > 0, nil
	})
	return reg
}

// run runs a program that has to come to its end.
func run(t *testing.T, cm *codemode.Codemode, code string) *codemode.Result {
	t.Helper()
	result, err := cm.Execute(t.Context(), code)
	if err != nil {
		t.Fatalf("no outcome: %v", err)
	}
	if result.Status != codemode.StatusOK {
		t.Fatalf("the program did not come to its end:\n%s", result.Text())
	}
	return result
}
