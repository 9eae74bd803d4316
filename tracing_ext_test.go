package codemode_test

import (
	"context"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/codemode-sdk/codemode/internal/waittest"
)

// Who looks at a trace finds the caller's span, the queue, the run and each tool call in
// one tree.
func TestARunIsOneTrace(t *testing.T) {
	exporter := tracetest.NewInMemoryExporter()
	provider := sdk.NewTracerProvider(sdk.WithSyncer(exporter))
	otel.SetTracerProvider(provider)
	t.Cleanup(func() { otel.SetTracerProvider(noop.NewTracerProvider()) })
	ctx, root := provider.Tracer("test").Start(context.WithoutCancel(t.Context()), "caller")
	result, err := shared.Execute(ctx, "tools.add(a=1)\ntry: tools.fail()\nexcept ToolError: pass")
	if err != nil || result.Error != nil {
		t.Fatal(err, result.Text())
	}
	root.End()
	parents := map[string]string{}
	for deadline := time.Now().Add(waittest.Patience); len(parents) < 7 && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		names, tools := map[string]string{}, map[string]string{}
		spans := exporter.GetSpans()
		for _, span := range spans {
			id := span.SpanContext.SpanID().String()
			names[id] = span.Name
			for _, attribute := range span.Attributes {
				if attribute.Key == "gen_ai.tool.name" {
					tools[id] = " " + attribute.Value.AsString()
				}
			}
		}
		clear(parents)
		for _, span := range spans {
			if span.SpanContext.TraceID() == root.SpanContext().TraceID() {
				parents[span.Name+tools[span.SpanContext.SpanID().String()]] = names[span.Parent.SpanID().String()]
			}
		}
	}
	want := map[string]string{
		"caller": "", "codemode.execute": "caller", "codemode.executor": "codemode.execute",
		"codemode.queue": "codemode.executor", "codemode.run": "codemode.executor",
		"codemode.tool add": "codemode.run", "codemode.tool fail": "codemode.run",
	}
	for span, parent := range want {
		if got, there := parents[span]; !there || got != parent {
			t.Errorf("the parent of %q is %q (%v), want %q; all: %v", span, got, there, parent, parents)
		}
	}
}
