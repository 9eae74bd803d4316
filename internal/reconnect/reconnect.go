// Package reconnect says how soon a connection that cannot be had is tried again.
//
// gRPC's own waits grow to two minutes, for a connection as for a name that is not known
// yet, and for half a minute it trusts an answer of the name server. For so long somebody
// who is back would still be reported as gone.
package reconnect

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/resolver"
)

// pause is between two attempts, to connect or to learn addresses.
const pause = time.Second

// Soon is for connections that work is waiting for.
func Soon() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: pause / 10, Multiplier: 1.6, Jitter: 0.2, MaxDelay: pause},
			MinConnectTimeout: 20 * time.Second, // gRPC's own
		}),
		grpc.WithResolvers(builder{resolver.Get("dns")}),
	}
}

// A builder makes resolvers that ask gRPC's: a new one each time, since that is asked at once.
type builder struct{ resolver.Builder }

func (b builder) Build(target resolver.Target, conn resolver.ClientConn, options resolver.BuildOptions) (resolver.Resolver, error) {
	ctx, cancel := context.WithCancel(context.Background())
	n := &names{conn: conn, cancel: cancel, again: make(chan struct{}, 1), done: make(chan struct{})}
	build := func() (resolver.Resolver, error) { return b.Builder.Build(target, asked{conn, n.ResolveNow}, options) }
	first, err := build()
	if err != nil {
		cancel()
		return nil, err
	}
	go n.ask(ctx, first, build)
	return n, nil
}

// names are the addresses of a name, as far as they are known.
type names struct {
	conn   resolver.ClientConn
	cancel context.CancelFunc
	again  chan struct{} // they are to be asked for once more
	done   chan struct{}
}

func (n *names) ask(ctx context.Context, current resolver.Resolver, build func() (resolver.Resolver, error)) {
	defer close(n.done)
	for {
		soonest := time.After(pause)
		select {
		case <-n.again:
		case <-ctx.Done():
		}
		select {
		case <-soonest:
		case <-ctx.Done():
		}
		current.Close()
		if ctx.Err() != nil {
			return
		}
		next, err := build()
		if err != nil { // not of a target that was built before
			n.conn.ReportError(err)
			return
		}
		current = next
	}
}

// ResolveNow is gRPC's word that a connection has ended or cannot be had.
func (n *names) ResolveNow(resolver.ResolveNowOptions) {
	select {
	case n.again <- struct{}{}:
	default:
	}
}

func (n *names) Close() {
	n.cancel()
	<-n.done
}

// asked hears what the name server says.
type asked struct {
	resolver.ClientConn
	again func(resolver.ResolveNowOptions)
}

func (a asked) UpdateState(state resolver.State) error {
	err := a.ClientConn.UpdateState(state)
	if err != nil {
		a.again(resolver.ResolveNowOptions{})
	}
	return err
}

func (a asked) ReportError(err error) {
	a.ClientConn.ReportError(err)
	a.again(resolver.ResolveNowOptions{})
}
