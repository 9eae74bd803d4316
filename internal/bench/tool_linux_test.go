package bench

import (
	"context"
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/executorclient"
	"github.com/codemode-sdk/codemode/internal/cpython"
	"github.com/codemode-sdk/codemode/sidecar"
)

// BenchmarkTools runs a program that does one thing over and over; besides the time it
// gives the processor time that the program and this process take each, which a busy
// machine does not change much.
func BenchmarkTools(b *testing.B) {
	for _, c := range []struct{ name, code string }{
		{"Call", "for _ in range(N): tools.echo(1)"},
		{"CallAwaited", "for _ in range(N): await tools.echo.arun(1)"},
		{"Argument1MiB", "x = 'x' * (1 << 20)\nfor _ in range(N): tools.size(x)"},
		{"Result1MiB", "for _ in range(N): tools.text(1 << 20)"},
		{"Row", "for row in tools.rows(N): pass"},
	} {
		b.Run(c.name, func(b *testing.B) { benchmarkProgram(b, c.code) })
	}
}

func benchmarkProgram(b *testing.B, code string) {
	cfg := config.DefaultSidecar()
	cfg.Limits.ToolCalls, cfg.Limits.CodeTimeout, cfg.Limits.CPUTime = 1_000_000, time.Hour, time.Hour
	if _, err := cpython.Find(b.Context(), cfg.Python, cfg.CacheDir); err != nil {
		b.Skip(err)
	}
	m, err := start(b.Context(), cfg, sidecar.New)
	if err != nil {
		if os.Getenv("CI") == "true" {
			b.Fatal(err)
		}
		b.Skip(err)
	}
	defer func() {
		if err := m.close(); err != nil {
			b.Error(err)
		}
	}()
	b.ReportAllocs()
	b.ResetTimer()
	before := ownCPU(b)
	result, err := m.Execute(context.Background(), executorclient.Request{
		Code: fmt.Sprintf("N = %d\n%s", b.N, code), Tools: m.tools,
	})
	used := ownCPU(b) - before
	b.StopTimer()
	if err != nil || result.Status != executorclient.OK {
		b.Fatal(err, result.Text())
	}
	b.ReportMetric(float64(result.Usage.CPU.Nanoseconds())/float64(b.N), "python-ns/op")
	b.ReportMetric(float64(used.Nanoseconds())/float64(b.N), "go-ns/op")
}

func ownCPU(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
