package sidecar

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"net"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
)

// A caller is who makes a call, as far as can be told. The zero value is the process that
// the executor is embedded in.
type caller struct {
	name        string            // for records: id, else what the certificate is for; empty without either
	id          string            // of the key that was shown; empty if none was needed
	key         [sha256.Size]byte // the key's digest, likewise
	certificate [sha256.Size]byte // that of the public key which the certificate is for, if there is one
	outside     bool
}

// certificateOf tells the clients of an executor apart that asks them for certificates: one
// that is renewed for the same key stays the same. The name is for records.
func certificateOf(ctx context.Context) (digest [sha256.Size]byte, name string) {
	from, ok := peer.FromContext(ctx)
	if !ok {
		return digest, ""
	}
	if tls, ok := from.AuthInfo.(credentials.TLSInfo); ok && len(tls.State.VerifiedChains) > 0 {
		leaf := tls.State.VerifiedChains[0][0]
		return sha256.Sum256(leaf.RawSubjectPublicKeyInfo), "certificate:" + holder(leaf)
	}
	return digest, ""
}

// maxHolder bounds what records quote of a certificate, in bytes.
const maxHolder = 200

// holder says whom a certificate is for: its common name, else the first of its other names,
// else its number.
func holder(leaf *x509.Certificate) string {
	name := leaf.Subject.CommonName
	switch {
	case name != "":
	case len(leaf.DNSNames) > 0:
		name = leaf.DNSNames[0]
	case len(leaf.URIs) > 0:
		name = leaf.URIs[0].String()
	case len(leaf.EmailAddresses) > 0:
		name = leaf.EmailAddresses[0]
	case len(leaf.IPAddresses) > 0:
		name = leaf.IPAddresses[0].String()
	default:
		name = leaf.SerialNumber.String()
	}
	return strings.ToValidUTF8(name[:min(len(name), maxHolder)], "\uFFFD")
}

type callerKey struct{}

func withCaller(ctx context.Context, from caller) context.Context {
	return context.WithValue(ctx, callerKey{}, from)
}

// callerOf says who made a call.
func callerOf(ctx context.Context) caller {
	from, _ := ctx.Value(callerKey{}).(caller)
	return from
}

// clientOf names whom a call counts for where clients share the executor: the key that it
// showed; without one its certificate, where the executor asked for it; else the address
// that it came from. All who come over one unix socket without a key are one client.
func clientOf(ctx context.Context) string {
	if key := callerOf(ctx).id; key != "" {
		return "key " + key
	}
	if digest := callerOf(ctx).certificate; digest != [sha256.Size]byte{} {
		return "certificate " + string(digest[:])
	}
	if from, ok := peer.FromContext(ctx); ok {
		if address, ok := from.Addr.(*net.TCPAddr); ok {
			return "address " + address.IP.String()
		}
	}
	return ""
}

// calledBy is a stream of a caller.
type calledBy struct {
	grpc.ServerStream
	from caller
}

// Context is the stream's, with the caller.
func (c calledBy) Context() context.Context { return withCaller(c.ServerStream.Context(), c.from) }
