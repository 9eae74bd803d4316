package main

import (
	"cmp"
	"context"
	"log/slog"
	"os"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"

	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/internal/version"
)

// tracingSecrets are the variables that may hold credentials of the collector.
var tracingSecrets = []string{"OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS"}

// startTracing sends spans where the OTEL_* variables say, and nowhere if none of them
// names an endpoint or an exporter. The caller stops it.
func startTracing(ctx context.Context, log *slog.Logger) (stop func(), err error) {
	exporter, err := newExporter(ctx)
	if err != nil || exporter == nil {
		return func() {}, err
	}
	about, err := resource.New(ctx,
		resource.WithAttributes(attribute.String("service.name", "codemode-executor"), attribute.String("service.version", version.String())),
		resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		return nil, fault.Wrap(fault.Config, err, "OTEL_RESOURCE_ATTRIBUTES cannot be used")
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("tracing", "error", err) }))
	// The sampler and the batches are those of OTEL_TRACES_SAMPLER and OTEL_BSP_*.
	provider := trace.NewTracerProvider(trace.WithBatcher(exporter), trace.WithResource(about))
	otel.SetTracerProvider(provider)
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := provider.Shutdown(ctx); err != nil {
			log.Warn("the last spans were not sent", "error", err)
		}
	}, nil
}

func newExporter(ctx context.Context) (*otlptrace.Exporter, error) {
	switch kind := os.Getenv("OTEL_TRACES_EXPORTER"); {
	case os.Getenv("OTEL_SDK_DISABLED") == "true", kind == "none":
		return nil, nil
	case kind == "" && os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") == "" && os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") == "":
		return nil, nil // the standard would have every process send to localhost
	case kind != "" && kind != "otlp":
		return nil, fault.New(fault.Config, "OTEL_TRACES_EXPORTER is %q", kind).WithRemedy("write otlp or none")
	}
	protocol := cmp.Or(os.Getenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"), os.Getenv("OTEL_EXPORTER_OTLP_PROTOCOL"), "http/protobuf")
	var exporter *otlptrace.Exporter
	var err error
	switch protocol {
	case "http/protobuf":
		exporter, err = otlptracehttp.New(ctx)
	case "grpc":
		exporter, err = otlptracegrpc.New(ctx)
	default:
		return nil, fault.New(fault.Config, "OTEL_EXPORTER_OTLP_PROTOCOL is %q", protocol).WithRemedy("write http/protobuf or grpc")
	}
	if err != nil {
		return nil, fault.Wrap(fault.Config, err, "the OTEL_EXPORTER_OTLP_* variables cannot be used")
	}
	return exporter, nil
}
