// Package metrics counts what an executor does, for Prometheus.
//
//	m := metrics.New(server)
//	server.Observe(m)
//	http.Handle("/metrics", m.Handler())
//
// It is apart from package sidecar so that applications which embed the executor do not
// link Prometheus. docs/operations.md lists the metrics.
package metrics

import (
	"net/http"
	"runtime"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/codemode-sdk/codemode/internal/version"
	"github.com/codemode-sdk/codemode/sidecar"
)

// MaxTools bounds the names of tools that become labels: the first so many. The calls of
// all others are counted together, as OtherTools.
const MaxTools = 100

// OtherTools is the label of the tools beyond MaxTools.
const OtherTools = "(others)"

// Executor is what New asks for the figures of the moment; a *sidecar.Server.
type Executor interface {
	Stats() sidecar.Stats
	Unready() string
	Python() string
}

// Metrics is a sidecar.Observer.
type Metrics struct {
	registry   *prometheus.Registry
	executions *prometheus.CounterVec
	rejected   *prometheus.CounterVec
	duration   prometheus.Histogram
	queue      prometheus.Histogram
	cpu        prometheus.Counter
	memory     prometheus.Histogram
	calls      *prometheus.CounterVec
	latency    *prometheus.HistogramVec
	egress     *prometheus.CounterVec

	mu    sync.Mutex
	tools map[string]bool
}

// seconds are bounds from a tenth of what a fork takes to the longest default run.
var seconds = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300}

// New makes the metrics of one executor.
func New(e Executor) *Metrics {
	m := &Metrics{
		registry:   prometheus.NewRegistry(),
		executions: counters("codemode_executions_total", "Programs that ran, by how they ended.", "status"),
		rejected:   counters("codemode_rejected_total", "Programs that were not started, by reason.", "reason"),
		duration:   histogram("codemode_execution_seconds", "Wall-clock time of programs, tool calls included.", seconds),
		queue:      histogram("codemode_queue_seconds", "Time that programs waited for a worker before they started.", seconds),
		cpu: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "codemode_execution_cpu_seconds_total", Help: "Processor time of programs.",
		}),
		memory: histogram("codemode_execution_max_rss_bytes", "The most memory that each program held.",
			prometheus.ExponentialBuckets(16<<20, 2, 10)),
		calls: counters("codemode_tool_calls_total", "Tool calls that the application answered.", "tool", "outcome"),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "codemode_tool_call_seconds", Help: "Time from a tool call to the application's answer.", Buckets: seconds,
		}, []string{"tool"}),
		egress: counters("codemode_egress_requests_total", "Requests of programs to the network, by the proxy's verdict.", "verdict"),
		tools:  map[string]bool{},
	}
	for _, status := range []string{"ok", "error", "timeout", "memory_limit", "output_limit", "cancelled", "killed"} {
		m.executions.WithLabelValues(status) // so that a first one is an increase
	}
	for _, reason := range []string{
		sidecar.RefusedUnauthenticated, sidecar.RefusedInvalid, sidecar.RefusedQueueFull, sidecar.RefusedQueueTimeout,
		sidecar.RefusedDraining, sidecar.RefusedNoWorker, sidecar.RefusedGone, sidecar.RefusedSession,
	} {
		m.rejected.WithLabelValues(reason)
	}
	m.registry.MustRegister(m.executions, m.rejected, m.duration, m.queue, m.cpu, m.memory, m.calls, m.latency, m.egress,
		moment{e}, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "codemode_build_info", Help: "Always 1; the labels say what runs.",
			ConstLabels: prometheus.Labels{"version": version.String(), "go": runtime.Version(), "python": e.Python()},
		}, func() float64 { return 1 }))
	return m
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

func histogram(name, help string, buckets []float64) prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets})
}

// Handler answers with the metrics, in the format that the request asks for.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
}

// ToolCalled is sidecar.Observer's.
func (m *Metrics) ToolCalled(tool, outcome string, took time.Duration) {
	tool = m.label(tool)
	m.calls.WithLabelValues(tool, outcome).Inc()
	m.latency.WithLabelValues(tool).Observe(took.Seconds())
}

func (m *Metrics) label(tool string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.tools[tool] || tool == sidecar.UnknownTool:
	case len(m.tools) >= MaxTools:
		return OtherTools
	default:
		m.tools[tool] = true
	}
	return tool
}

// Executed is sidecar.Observer's.
func (m *Metrics) Executed(r *sidecar.Record) {
	if r.Reason != "" {
		m.rejected.WithLabelValues(r.Reason).Inc()
		return
	}
	m.executions.WithLabelValues(r.Status).Inc()
	m.duration.Observe(r.Wall.Seconds())
	m.queue.Observe(r.Queued.Seconds())
	m.cpu.Add(r.CPU.Seconds())
	m.memory.Observe(float64(r.MaxRSSBytes))
	for verdict, n := range r.Egress {
		m.egress.WithLabelValues(verdict).Add(float64(n))
	}
}
