package sidecar

import "testing"

// ReplaceForkServersAfter has fork servers of a test replaced after so many workers.
func ReplaceForkServersAfter(t *testing.T, workers uint64) {
	before := workersPerServer.Swap(workers)
	t.Cleanup(func() { workersPerServer.Store(before) })
}
