package tracing_test

import (
	"context"
	"testing"

	"go.opentelemetry.io/otel"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
	"google.golang.org/grpc/metadata"

	"github.com/codemode-sdk/codemode/internal/tracing"
)

func spans(ctx context.Context) {
	ctx = tracing.Incoming(ctx)
	ctx, span := tracing.Start(ctx, "a", trace.SpanKindServer)
	span.Text("key", "value")
	span.Number("number", 1)
	_ = span.Outgoing(ctx)
	_ = span.Within(ctx, nil)
	span.Fail("error")
	span.End()
}

// Who has no tracing set up pays nothing for it.
func TestWithoutAProviderNothingIsAllocated(t *testing.T) {
	ctx := t.Context()
	if n := testing.AllocsPerRun(1000, func() { spans(ctx) }); n != 0 {
		t.Errorf("with the provider that nobody set: %v allocations", n)
	}
	otel.SetTracerProvider(noop.NewTracerProvider())
	if n := testing.AllocsPerRun(1000, func() { spans(ctx) }); n != 0 {
		t.Errorf("with one that does nothing: %v allocations", n)
	}
	// A provider that comes later counts from then on.
	exporter := tracetest.NewInMemoryExporter()
	provider := sdk.NewTracerProvider(sdk.WithSyncer(exporter))
	otel.SetTracerProvider(provider)
	spans(ctx)
	if got := exporter.GetSpans(); len(got) != 1 || got[0].Name != "a" {
		t.Errorf("spans: %v", got)
	}
	// The other end cannot put spans into another trace.
	_, span := tracing.Start(ctx, "b", trace.SpanKindClient)
	for header, taken := range map[string]bool{
		"00-" + span.Metadata().Get("traceparent")[0][3:35] + "-00f067aa0ba902b7-01": true,
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01":                    false,
		"nonsense": false,
	} {
		got := trace.SpanContextFromContext(span.Within(ctx, metadata.Pairs("traceparent", header)))
		if got.IsValid() != taken {
			t.Errorf("%s: %v", header, got)
		}
	}
}
