package openai_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/codemode-sdk/codemode"
	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/internal/waittest"
	"github.com/codemode-sdk/codemode/registry"
	_ "github.com/codemode-sdk/codemode/sidecar/embeddedpython"
)

// cm has the tools square, which fails on negative numbers, wait, which waits for its
// context to end, and meet, which waits for another call of it.
var cm *codemode.Codemode

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

// patient is the default configuration, with limits that end nothing only because the
// machine is busy.
func patient() *config.Config {
	cfg := config.Default()
	limits := &cfg.Executor.Limits
	limits.CodeTimeout, limits.CPUTime, cfg.Executor.Pool.QueueTimeout = 2*waittest.Patience, 2*waittest.Patience, 2*waittest.Patience
	return cfg
}

func run(m *testing.M) (code int, err error) {
	cm, err = codemode.New(codemode.Options{Config: patient()})
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
		<-ctx.Done()
		return 0, ctx.Err()
	})
	if err != nil {
		return 1, err
	}
	meeting := make(chan struct{})
	err = registry.Func(cm.Registry(), "meet", "Waits for another call of it.", func(ctx context.Context, _ struct{}) (string, error) {
		select {
		case meeting <- struct{}{}:
		case <-meeting:
		case <-time.After(waittest.Patience):
			return "alone", nil
		case <-ctx.Done():
			return "", ctx.Err()
		}
		return "met", nil
	})
	if err != nil {
		return 1, err
	}
	return m.Run(), nil
}
