package langchain_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/internal/waittest"
	"github.com/codemode-sdk/codemode/registry"
	_ "github.com/codemode-sdk/codemode/sidecar/embeddedpython"
)

// cm has the tools square, which fails on negative numbers, and wait, which waits for
// its context to end once it has told waiting.
var (
	cm      *codemode.Codemode
	waiting = make(chan struct{})
)

// cancelledInTheTool is a context that ends while a call of wait is under way.
func cancelledInTheTool(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var watching sync.WaitGroup
	watching.Go(func() {
		select {
		case <-waiting:
			cancel()
		case <-ctx.Done():
		}
	})
	t.Cleanup(watching.Wait)
	t.Cleanup(cancel)
	return ctx
}

func TestMain(m *testing.M) {
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
	cm, err = codemode.New(codemode.Options{})
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, cm.Close()) }()
	type number struct {
		N int `json:"n"`
	}
	err = registry.Func(cm.Registry(), "square", "Squares a number.", func(_ context.Context, in number) (int, error) {
		if in.N < 0 {
			return 0, errors.New("negative numbers are not allowed here")
		}
		return in.N * in.N, nil
	})
	if err != nil {
		return 1, err
	}
	err = registry.Func(cm.Registry(), "wait", "Waits.", func(ctx context.Context, _ struct{}) (int, error) {
		select {
		case waiting <- struct{}{}:
		case <-ctx.Done():
		}
		<-ctx.Done()
		return 0, ctx.Err()
	})
	if err != nil {
		return 1, err
	}
	return m.Run(), nil
}
