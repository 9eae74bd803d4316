// Package tracing makes spans where an application has set OpenTelemetry up, and costs
// nothing where it has not: no allocation, one comparison.
//
// It uses the tracer provider that the application made global (otel.SetTracerProvider),
// and W3C trace context in gRPC metadata, whatever the global propagator. It never puts
// programs, values or keys into a span.
package tracing

import (
	"context"
	"reflect"
	"sync/atomic"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

const scope = "github.com/codemode-sdk/codemode"

// A source is a provider and the tracer that it gave; nil if its spans go nowhere.
type source struct {
	provider trace.TracerProvider
	tracer   trace.Tracer
}

var (
	current atomic.Pointer[source]
	// initial is the provider before main: usually the one that forwards to nobody.
	initial = otel.GetTracerProvider()
)

func tracer() trace.Tracer {
	provider := otel.GetTracerProvider()
	if !reflect.TypeOf(provider).Comparable() {
		return provider.Tracer(scope)
	}
	if known := current.Load(); known != nil && known.provider == provider {
		return known.tracer
	}
	found := &source{provider: provider}
	if inUse(provider) {
		found.tracer = provider.Tracer(scope)
	}
	current.Store(found)
	return found.tracer
}

// inUse tells a provider whose spans go somewhere from one that has nothing behind it.
func inUse(provider trace.TracerProvider) bool {
	if _, none := provider.(noop.TracerProvider); none {
		return false
	}
	if provider != initial {
		return true
	}
	// Only a real one gives out identities. The span is not ended, so nobody exports it.
	_, span := provider.Tracer(scope).Start(context.Background(), "codemode.probe")
	return span.SpanContext().IsValid()
}

// A Span is a span, or nothing: the methods of the zero Span do nothing.
type Span struct{ span trace.Span }

// Start begins a span below the one in ctx, and gives a context with it. The caller ends
// the span.
func Start(ctx context.Context, name string, kind trace.SpanKind) (context.Context, Span) {
	t := tracer()
	if t == nil {
		return ctx, Span{}
	}
	ctx, span := t.Start(ctx, name, trace.WithSpanKind(kind))
	return ctx, Span{span}
}

// Recording says whether anybody will see what is set.
func (s Span) Recording() bool { return s.span != nil && s.span.IsRecording() }

// Text sets an attribute, cut to a length that every backend takes.
func (s Span) Text(key, value string) {
	if s.Recording() {
		const most = 256
		s.span.SetAttributes(attribute.String(key, value[:min(len(value), most)]))
	}
}

// Number sets an attribute.
func (s Span) Number(key string, value int64) {
	if s.Recording() {
		s.span.SetAttributes(attribute.Int64(key, value))
	}
}

// Fail marks the span as failed, with a word that is not the program's own.
func (s Span) Fail(kind string) {
	if s.Recording() {
		s.span.SetStatus(codes.Error, kind)
		s.span.SetAttributes(attribute.String("error.type", kind))
	}
}

// End ends the span.
func (s Span) End() {
	if s.span != nil {
		s.span.End()
	}
}
