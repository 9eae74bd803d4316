package tracing

import (
	"context"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/metadata"
)

// carrier lets the propagator read and write gRPC metadata.
type carrier metadata.MD

func (c carrier) Get(key string) string {
	if values := metadata.MD(c).Get(key); len(values) > 0 {
		return values[0]
	}
	return ""
}

func (c carrier) Set(key, value string) { metadata.MD(c).Set(key, value) }

func (c carrier) Keys() []string {
	keys := make([]string, 0, len(c))
	for key := range c {
		keys = append(keys, key)
	}
	return keys
}

var w3c propagation.TraceContext

// Metadata gives traceparent and tracestate of the span, to send to the other end; nil
// for no span.
func (s Span) Metadata() metadata.MD {
	if s.span == nil {
		return nil
	}
	md := metadata.MD{}
	w3c.Inject(trace.ContextWithSpan(context.Background(), s.span), carrier(md))
	return md
}

// Outgoing adds the span to what a call sends.
func (s Span) Outgoing(ctx context.Context) context.Context {
	for key, values := range s.Metadata() {
		ctx = metadata.AppendToOutgoingContext(ctx, key, values[0])
	}
	return ctx
}

// Incoming puts the caller's span, if there is a valid one in the metadata of a call,
// into ctx, for spans to be below it.
func Incoming(ctx context.Context) context.Context {
	if tracer() == nil {
		return ctx
	}
	md, _ := metadata.FromIncomingContext(ctx)
	return w3c.Extract(ctx, carrier(md))
}

// Within puts the span that the other end reports in md into ctx, if it belongs to the
// trace of s: the other end has no say in anything else.
func (s Span) Within(ctx context.Context, md metadata.MD) context.Context {
	if s.span == nil {
		return ctx
	}
	theirs := trace.SpanContextFromContext(w3c.Extract(context.Background(), carrier(md)))
	if !theirs.IsValid() || theirs.TraceID() != s.span.SpanContext().TraceID() {
		return ctx
	}
	return trace.ContextWithRemoteSpanContext(ctx, theirs)
}
