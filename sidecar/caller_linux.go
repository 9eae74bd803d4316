package sidecar

import (
	"context"
	"crypto/sha256"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
)

type callerKey struct{}

// callerOf gives the id of the key that a call showed, or nothing.
func callerOf(ctx context.Context) string {
	id, _ := ctx.Value(callerKey{}).(string)
	return id
}

// clientOf names whom a call counts for where clients share the executor: the key that it
// showed; without one its certificate, where the executor asked for it; else the address
// that it came from. All who come over one unix socket without a key are one client.
func clientOf(ctx context.Context) string {
	if key := callerOf(ctx); key != "" {
		return "key " + key
	}
	from, ok := peer.FromContext(ctx)
	if !ok {
		return ""
	}
	if info, ok := from.AuthInfo.(credentials.TLSInfo); ok && len(info.State.VerifiedChains) > 0 {
		digest := sha256.Sum256(info.State.VerifiedChains[0][0].Raw)
		return "certificate " + string(digest[:])
	}
	if address, ok := from.Addr.(*net.TCPAddr); ok {
		return "address " + address.IP.String()
	}
	return ""
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
