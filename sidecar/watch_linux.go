package sidecar

import (
	"time"

	codemodev1 "github.com/codemode-sdk/codemode/internal/gen/codemode/v1"
)

// watchInterval is how often a running program's memory and threads are looked at. The
// kernel's own limits hold in between: what it counts for a process is private memory,
// and this adds what a process shares.
const watchInterval = 25 * time.Millisecond

// startWatch costs a run nothing but a timer until the first interval is over.
func (e *execution) startWatch() (stop func()) {
	quit, ended := make(chan struct{}), make(chan struct{})
	first := time.AfterFunc(watchInterval, func() {
		defer close(ended)
		ticker := time.NewTicker(watchInterval)
		defer ticker.Stop()
		for tick := 0; ; tick++ {
			if e.worker.own.scratch != "" && tick%scratchTicks == 0 {
				e.watchScratch()
			}
			peak, threads, cpu := e.worker.meter.use(e.limits.Threads)
			most := e.limits.CPUTime + time.Second // which the kernel rounds up
			if e.session != nil {
				cpu, most = e.worker.meter.cpu()-e.worker.meter.floor, e.limits.CPUTime
			}
			switch {
			case peak > e.limits.Memory+watchSlack:
				e.stop(codemodev1.Status_STATUS_MEMORY_LIMIT)
			case threads > e.limits.Threads:
				e.mu.Lock()
				e.threads = threads
				e.mu.Unlock()
				e.stop(codemodev1.Status_STATUS_KILLED)
			case cpu > most:
				e.mu.Lock()
				e.overCPU = true
				e.mu.Unlock()
				e.stop(codemodev1.Status_STATUS_TIMEOUT)
			}
			select {
			case <-quit:
				return
			case <-ticker.C:
			}
		}
	})
	return func() {
		close(quit)
		if !first.Stop() {
			<-ended // it looks at the worker, which is not ours for much longer
		}
	}
}

// scratchTicks is how many intervals lie between two looks at a worker's directory where
// that is on the executor's file system, and the kernel does not bound it.
const scratchTicks = 8

func (e *execution) watchScratch() {
	size, files := scratchUse(e.worker.own.scratch, e.limits.ScratchFiles)
	if size <= e.limits.ScratchSize && files <= e.limits.ScratchFiles && !e.outputsAreFull() {
		return
	}
	e.mu.Lock()
	e.scratchFull = true
	e.mu.Unlock()
	e.stop(codemodev1.Status_STATUS_KILLED)
}

// watchSlack is for the pages that a worker has in common with its fork server.
const watchSlack = 64 << 20
