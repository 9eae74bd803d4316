package sidecar

import "testing"

// ReplaceForkServersAfter has fork servers of a test replaced after so many workers.
func ReplaceForkServersAfter(t *testing.T, workers uint64) {
	before := workersPerServer.Swap(workers)
	t.Cleanup(func() { workersPerServer.Store(before) })
}

// PrioritiesAdapt says whether this process may lower a priority and give it back, and
// what is then added to the nice value of workers without a program.
func PrioritiesAdapt() (adapt bool, added int) { return priority().adaptable, aheadOfNeed }
