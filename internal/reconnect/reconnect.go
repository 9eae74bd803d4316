// Package reconnect says how soon a connection that cannot be had is tried again.
package reconnect

import (
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
)

// Soon is for connections that work is waiting for. gRPC's own waits grow to two minutes,
// for which somebody who is back would still be reported as gone.
var Soon = grpc.WithConnectParams(grpc.ConnectParams{
	Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: time.Second},
	MinConnectTimeout: 20 * time.Second, // gRPC's own
})
