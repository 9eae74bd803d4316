package sidecar

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/codemode-sdk/codemode/config"
	codemodev1 "github.com/codemode-sdk/codemode/internal/gen/codemode/v1"
)

// A keyring knows the API keys that admit a caller; several, so that keys can be
// rotated. It keeps digests, so that comparing takes the same time for any length.
type keyring struct{ digests [][sha256.Size]byte }

func newKeyring(keys []config.Secret) *keyring {
	k := &keyring{}
	for _, key := range keys {
		k.digests = append(k.digests, sha256.Sum256([]byte(key.Reveal())))
	}
	return k
}

// open are the methods that probes call; they tell nothing about anyone's work.
var open = map[string]bool{
	"/grpc.health.v1.Health/Check":                   true,
	"/grpc.health.v1.Health/Watch":                   true,
	codemodev1.ExecutorService_Health_FullMethodName: true,
	codemodev1.ExecutorService_Ready_FullMethodName:  true,
}

func (k *keyring) check(ctx context.Context, method string) error {
	if len(k.digests) == 0 || open[method] {
		return nil
	}
	md, _ := metadata.FromIncomingContext(ctx)
	values := md.Get("authorization")
	if len(values) == 0 {
		return status.Error(codes.Unauthenticated, "no API key: send metadata authorization: Bearer KEY")
	}
	scheme, token, found := strings.Cut(values[0], " ")
	if !found || !strings.EqualFold(scheme, "bearer") {
		return status.Error(codes.Unauthenticated, "metadata authorization must be: Bearer KEY")
	}
	digest := sha256.Sum256([]byte(token))
	match := 0
	for i := range k.digests {
		match |= subtle.ConstantTimeCompare(digest[:], k.digests[i][:])
	}
	if match == 0 {
		return status.Error(codes.Unauthenticated, "the API key is not one of this executor's")
	}
	return nil
}

func (k *keyring) unary(ctx context.Context, request any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	if err := k.check(ctx, info.FullMethod); err != nil {
		return nil, err
	}
	return next(ctx, request)
}

func (k *keyring) stream(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	if err := k.check(stream.Context(), info.FullMethod); err != nil {
		return err
	}
	return next(server, stream)
}

// newExecutionID makes an id for a run whose client named none.
func newExecutionID() string { return strings.ToLower(rand.Text()) }

func validExecutionID(id string) bool {
	if len(id) == 0 || len(id) > maxExecutionIDSize {
		return false
	}
	return !strings.ContainsFunc(id, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '-'
	})
}
