package metrics

import "github.com/prometheus/client_golang/prometheus"

// moment collects the figures of the moment in one look at the executor.
type moment struct{ Executor }

var (
	workersDesc = prometheus.NewDesc("codemode_workers", "Workers: running a program, ready for one, kept for a session, or being made.", []string{"state"}, nil)
	maxDesc     = prometheus.NewDesc("codemode_workers_max", "Programs that may run at once.", nil, nil)
	queuedDesc  = prometheus.NewDesc("codemode_queue_length", "Programs that wait for a worker.", nil, nil)
	readyDesc   = prometheus.NewDesc("codemode_ready", "1 if the executor takes programs, 0 while it stops or cannot make workers.", nil, nil)
)

// Describe is prometheus.Collector's.
func (m moment) Describe(to chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{workersDesc, maxDesc, queuedDesc, readyDesc} {
		to <- desc
	}
}

// Collect is prometheus.Collector's.
func (m moment) Collect(to chan<- prometheus.Metric) {
	gauge := func(desc *prometheus.Desc, value int, labels ...string) {
		to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(value), labels...)
	}
	stats := m.Stats()
	gauge(workersDesc, stats.Running, "running")
	gauge(workersDesc, stats.Ready, "ready")
	gauge(workersDesc, stats.Kept, "kept")
	gauge(workersDesc, stats.Starting, "starting")
	gauge(maxDesc, stats.MaxWorkers)
	gauge(queuedDesc, stats.Queued)
	ready := 0
	if m.Unready() == "" {
		ready = 1
	}
	gauge(readyDesc, ready)
}
