package sidecar

import (
	"testing"
	"time"

	"google.golang.org/grpc/keepalive"
)

// NoticeDeadClients has executors of a test notice clients that are silent for so long,
// and for as long again.
func NoticeDeadClients(t *testing.T, after time.Duration) {
	before := noticeDead.Swap(&keepalive.ServerParameters{Time: after, Timeout: after})
	t.Cleanup(func() { noticeDead.Store(before) })
}

// ReplaceForkServersAfter has fork servers of a test replaced after so many workers.
func ReplaceForkServersAfter(t *testing.T, workers uint64) {
	before := workersPerServer.Swap(workers)
	t.Cleanup(func() { workersPerServer.Store(before) })
}

// StartWithin bounds the start of fork servers of a test.
func StartWithin(t *testing.T, limit time.Duration) {
	before := startTimeout.Swap(int64(limit))
	t.Cleanup(func() { startTimeout.Store(before) })
}

// PrioritiesAdapt says whether this process may lower a priority and give it back, and
// what is then added to the nice value of workers without a program.
func PrioritiesAdapt() (adapt bool, added int) { return priority().adaptable, aheadOfNeed }
