package bench

import (
	"os"
	"testing"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/executorclient"
	"github.com/codemode-sdk/codemode/sidecar"
)

func benchExecutor(b *testing.B, change func(*config.SidecarConfig)) *executor {
	b.Helper()
	cfg := config.DefaultSidecar()
	change(&cfg)
	e, err := start(b.Context(), cfg, sidecar.New)
	if err != nil {
		if os.Getenv("CI") == "true" {
			b.Fatal(err)
		}
		b.Skip(err)
	}
	b.Cleanup(func() {
		if err := e.close(); err != nil {
			b.Error(err)
		}
	})
	return e
}

// BenchmarkExecute runs the smallest program over gRPC, on a worker that was ready.
func BenchmarkExecute(b *testing.B) {
	e := benchExecutor(b, func(*config.SidecarConfig) {})
	b.ReportAllocs()
	for b.Loop() {
		if err := e.one(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSpawn runs it on a worker that is forked and confined on demand.
func BenchmarkSpawn(b *testing.B) {
	e := benchExecutor(b, func(c *config.SidecarConfig) { c.Pool.MinReady = 0 })
	for b.Loop() {
		if err := e.one(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSession runs it in a session, whose worker is kept.
func BenchmarkSession(b *testing.B) {
	e := benchExecutor(b, func(c *config.SidecarConfig) { c.Sessions.Max = 1 })
	session := executorclient.NewSession("")
	for b.Loop() {
		got, err := e.Execute(b.Context(), executorclient.Request{Code: "1+1", Session: session})
		if err != nil || got.Status != executorclient.OK {
			b.Fatal(got.Status, err)
		}
	}
}
