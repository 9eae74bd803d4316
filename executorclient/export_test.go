package executorclient

import (
	"testing"
	"time"

	"google.golang.org/grpc/keepalive"
)

// NoticeDeadExecutors has clients of a test notice executors that are silent for so long,
// of which gRPC allows no less than 10 s, and for a second more.
func NoticeDeadExecutors(t *testing.T, after time.Duration) {
	before := noticeDead.Swap(&keepalive.ClientParameters{Time: after, Timeout: time.Second})
	t.Cleanup(func() { noticeDead.Store(before) })
}
