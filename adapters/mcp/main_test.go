package mcp_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/internal/waittest"
	"github.com/codemode-sdk/codemode/registry"
	_ "github.com/codemode-sdk/codemode/sidecar/embeddedpython"
)

// cm has the tools square, which fails on negative numbers, and wait, which tells
// waiting when it begins, and when its context has ended.
var (
	cm      *codemode.Codemode
	waiting = make(chan string, 10)
)

func TestMain(m *testing.M) {
	if os.Getenv("CODEMODE_TEST_SERVER") != "" {
		commandServer()
		return
	}
	code, err := run(m)
	if err == nil && code == 0 {
		err = waittest.Goroutines()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	reg := registry.New()
	type number struct {
		N int `json:"n"`
	}
	registry.Func(reg, "square", "Squares a number.", func(_ context.Context, in number) (int, error) {
		if in.N < 0 {
			return 0, errors.New("negative numbers are not allowed here")
		}
		return in.N * in.N, nil
	})
	registry.Func(reg, "wait", "Waits.", func(ctx context.Context, _ struct{}) (int, error) {
		waiting <- "begun"
		<-ctx.Done()
		waiting <- "ended"
		return 0, ctx.Err()
	})
	cm, err = codemode.New(codemode.Options{Registry: reg})
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, cm.Close()) }()
	return m.Run(), nil
}

// within gives up on a channel that should have had something by now.
func within[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(waittest.Patience):
		t.Fatalf("nothing after %s: %s", waittest.Patience, what)
		panic("unreachable")
	}
}
