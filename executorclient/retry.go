package executorclient

import (
	"context"
	"math/rand/v2"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/internal/version"
)

// retries is how often a run is sent again that an executor refused without having
// started it. gRPC itself does so where a connection ended before it carried the run.
const retries = 3

// wait waits before the next attempt; false if ctx ends first.
func wait(ctx context.Context, attempt int) bool {
	pause := time.Duration(25<<attempt) * time.Millisecond
	timer := time.NewTimer(pause/2 + rand.N(pause)) //nolint:gosec // it spreads attempts, and keeps no secret
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// lost makes an error of what ended the stream.
func (r *run) lost(ctx context.Context, err error) error {
	code, sent := status.Code(err), r.stream != nil
	vouched := sent && !r.started && len(r.stream.Trailer().Get(version.NotStarted)) > 0
	switch {
	case vouched:
		// Where there are several executors, another one may have room.
		r.refused = code == codes.Unavailable || code == codes.ResourceExhausted && r.client.several
	case sent && !refusal[code]:
		// The program may have reached a worker before the executor was lost.
		r.started = true
	}
	if ctx.Err() != nil {
		failure := fault.Wrap(fault.Cancelled, context.Cause(ctx), "the run was cancelled")
		failure.Started = r.started
		return failure
	}
	return fromStatus(err, r.started)
}

// refusal are the codes with which an executor refuses a run before it starts, and that
// the loss of a connection does not have.
var refusal = map[codes.Code]bool{
	codes.NotFound: true, codes.AlreadyExists: true,
	codes.InvalidArgument: true, codes.ResourceExhausted: true, codes.FailedPrecondition: true,
	codes.Unauthenticated: true, codes.PermissionDenied: true, codes.Unimplemented: true,
}
