package sidecar

import (
	"context"

	"google.golang.org/grpc"
)

type callerKey struct{}

// callerOf gives the id of the key that a call showed, or nothing.
func callerOf(ctx context.Context) string {
	id, _ := ctx.Value(callerKey{}).(string)
	return id
}

// calledBy is a stream of a known caller.
type calledBy struct {
	grpc.ServerStream
	id string
}

// Context is the stream's, with the caller's id.
func (c calledBy) Context() context.Context {
	return context.WithValue(c.ServerStream.Context(), callerKey{}, c.id)
}
