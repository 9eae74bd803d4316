package bench

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/executorclient"
	"github.com/codemode-sdk/codemode/registry"
	"github.com/codemode-sdk/codemode/sidecar"
)

// An executor serves on a unix socket, with a client that is connected to it as an
// application's is.
type executor struct {
	*executorclient.Client
	server  *sidecar.Server
	tools   *registry.Registry
	ready   int // workers that the pool keeps ready
	dir     string
	serving sync.WaitGroup
	served  error
}

type newServer = func(context.Context, config.SidecarConfig, *slog.Logger) (*sidecar.Server, error)

// start gives an executor that has run a program.
func start(ctx context.Context, cfg config.SidecarConfig, make newServer) (_ *executor, err error) {
	e := &executor{ready: cfg.Pool.MinReady}
	if e.tools, err = benchTools(); err != nil {
		return nil, err
	}
	if e.dir, err = os.MkdirTemp("", "codemode-bench-"); err != nil {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "unix", filepath.Join(e.dir, "executor"))
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(e.dir))
	}
	if e.server, err = make(ctx, cfg, nil); err != nil {
		return nil, errors.Join(err, listener.Close(), os.RemoveAll(e.dir))
	}
	e.serving.Go(func() { e.served = e.server.Serve(listener) })
	e.Client, err = executorclient.Dial(executorclient.Options{Address: "unix://" + listener.Addr().String()})
	if err == nil {
		err = e.one(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, e.close())
	}
	return e, nil
}

func (e *executor) close() error {
	var err error
	if e.Client != nil {
		err = e.Client.Close()
	}
	err = errors.Join(err, e.server.Close(), os.RemoveAll(e.dir))
	e.serving.Wait()
	return errors.Join(err, e.served)
}

// embedded gives the same executor with a client that is connected to it in memory, as an
// application is to the executor inside it. The caller closes its Client, and nothing else.
func (e *executor) embedded() (*executor, error) {
	client, err := executorclient.Dial(executorclient.Options{Dialer: e.server.Dial})
	return &executor{Client: client, server: e.server, tools: e.tools, ready: e.ready}, err
}

// run runs a program that has to come to its end.
func (e *executor) run(ctx context.Context, code string) (*executorclient.Result, error) {
	result, err := e.Execute(ctx, executorclient.Request{Code: code, Tools: e.tools})
	if err == nil && result.Status != executorclient.OK {
		err = fmt.Errorf("a program of the benchmark: %s", result.Text())
	}
	return result, err
}

// one runs the smallest program.
func (e *executor) one(ctx context.Context) error {
	_, err := e.run(ctx, "1+1")
	return err
}

// inside runs code that measures itself: N times, giving seconds.
func (e *executor) inside(ctx context.Context, code string, count int) (sample, error) {
	result, err := e.run(ctx, fmt.Sprintf("import asyncio, time\nN = %d\n%s", count, code))
	if err != nil {
		return nil, err
	}
	var seconds []float64
	if err := result.Decode(&seconds); err != nil {
		return nil, err
	}
	return ofSeconds(seconds), nil
}

// benchRow is a small row: 41 bytes when encoded.
type benchRow struct {
	ID    int     `json:"id"`
	Name  string  `json:"name"`
	Score float64 `json:"score"`
}

// slowness is what the tool slow takes.
const slowness = 50 * time.Millisecond

func benchTools() (*registry.Registry, error) {
	r := registry.New()
	return r, errors.Join(
		registry.Func(r, "echo", "", func(_ context.Context, in struct{ X any }) (any, error) { return in.X, nil }),
		registry.Func(r, "size", "", func(_ context.Context, in struct{ X string }) (int, error) { return len(in.X), nil }),
		registry.Func(r, "text", "", func(_ context.Context, in struct{ N int }) (string, error) { return strings.Repeat("x", in.N), nil }),
		registry.Func(r, "fail", "", func(context.Context, struct{}) (any, error) { return nil, errors.New("it is meant to fail") }),
		registry.Stream(r, "rows", "", func(_ context.Context, in struct{ N int }) iter.Seq2[benchRow, error] {
			return func(yield func(benchRow, error) bool) {
				for i := range in.N {
					if !yield(benchRow{i, "a short name", 0.5}, nil) {
						return
					}
				}
			}
		}),
		registry.Func(r, "slow", "", func(ctx context.Context, _ struct{}) (bool, error) {
			select {
			case <-time.After(slowness):
				return true, nil
			case <-ctx.Done():
				return false, ctx.Err()
			}
		}),
	)
}
