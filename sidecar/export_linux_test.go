package sidecar

import "testing"

// ReplaceForkServersAfter has fork servers of a test replaced after so many workers.
func ReplaceForkServersAfter(t *testing.T, workers uint64) {
	before := workersPerServer
	workersPerServer = workers
	t.Cleanup(func() { workersPerServer = before })
}
