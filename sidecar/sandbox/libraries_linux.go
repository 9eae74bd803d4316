package sandbox

import (
	"runtime"
	"strconv"
)

// threadVariables are read by the libraries with which numpy and its like calculate
// (OpenBLAS, OpenMP, MKL). Unless told otherwise these start a thread for each processor
// of the machine when they are loaded.
var threadVariables = []string{"OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"}

// useLibraries preloads modules, and holds libraries to as many threads as they may have.
// With modules to preload that is one: a fork takes no threads along.
func (p *Plan) useLibraries(o Options) {
	p.message.Preload = o.Preload
	threads := o.Limits.Threads
	if o.Limits.Processors > 0 {
		threads = min(threads, o.Limits.Processors)
	}
	if len(o.Preload) > 0 {
		threads = 1
	}
	if threads <= 0 || threads >= int64(runtime.NumCPU()) {
		return
	}
	for _, name := range threadVariables {
		p.message.Environment[name] = strconv.FormatInt(threads, 10)
	}
}
