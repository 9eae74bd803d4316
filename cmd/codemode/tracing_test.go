package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace/noop"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/codemode-sdk/codemode/executorclient"
	"github.com/codemode-sdk/codemode/registry"
)

// A traceCollector takes spans by both of OTLP's protocols.
type traceCollector struct {
	collector.UnimplementedTraceServiceServer
	mu      sync.Mutex
	batches []*collector.ExportTraceServiceRequest
	keys    map[string]int // batches by what they came with
}

func (c *traceCollector) take(key string, batch *collector.ExportTraceServiceRequest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.batches = append(c.batches, batch)
	c.keys[key]++
}

func (c *traceCollector) Export(ctx context.Context, batch *collector.ExportTraceServiceRequest) (*collector.ExportTraceServiceResponse, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	c.take(strings.Join(md.Get("collector-key"), ","), batch)
	return &collector.ExportTraceServiceResponse{}, nil
}

func (c *traceCollector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	batch := &collector.ExportTraceServiceRequest{}
	body, err := io.ReadAll(r.Body)
	if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(body, batch) != nil {
		http.Error(w, "no traces", http.StatusBadRequest)
		return
	}
	c.take(r.Header.Get("collector-key"), batch)
	w.Header().Set("Content-Type", "application/x-protobuf")
}

// listen gives the addresses at which the collector takes gRPC and HTTP.
func (c *traceCollector) listen(t *testing.T) map[string]string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	collector.RegisterTraceServiceServer(server, c)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	web := httptest.NewServer(c)
	t.Cleanup(func() {
		server.Stop()
		web.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return map[string]string{"grpc": "http://" + listener.Addr().String(), "http/protobuf": web.URL}
}

// tree gives each span's service, name and tool, with the span that it is below; and
// everything that arrived, as text.
func (c *traceCollector) tree(t *testing.T, trace string) (parents map[string]string, all string) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	names, above := map[string]string{}, map[string]string{}
	for _, batch := range c.batches {
		all += batch.String()
		for _, from := range batch.GetResourceSpans() {
			service := ""
			for _, attribute := range from.GetResource().GetAttributes() {
				if attribute.GetKey() == "service.name" {
					service = attribute.GetValue().GetStringValue()
				}
			}
			for _, scope := range from.GetScopeSpans() {
				for _, span := range scope.GetSpans() {
					if string(span.GetTraceId()) != trace {
						t.Errorf("%s is in another trace", span.GetName())
					}
					name := span.GetName()
					if service == "codemode-executor" {
						name += " of the executor"
					}
					for _, attribute := range span.GetAttributes() {
						if attribute.GetKey() == "gen_ai.tool.name" {
							name += " " + attribute.GetValue().GetStringValue()
						}
					}
					names[string(span.GetSpanId())], above[string(span.GetSpanId())] = name, string(span.GetParentSpanId())
				}
			}
		}
	}
	parents = map[string]string{}
	for id, name := range names {
		parents[name] = names[above[id]]
	}
	return parents, all
}

// Who points application and executor at a collector finds one run there as one tree, by
// either protocol, with nothing of the program in it. The executor's last spans arrive
// although it is stopped at once, and what it shows the collector is not in its environment.
func TestATraceArrivesWholeAtACollector(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the executor needs Linux")
	}
	binary, err := exec.LookPath("codemode")
	if err != nil {
		t.Fatal(err)
	}
	for _, protocol := range []string{"grpc", "http/protobuf"} {
		t.Run(protocol, func(t *testing.T) {
			spans := &traceCollector{keys: map[string]int{}}
			addresses := spans.listen(t)
			exporter, err := otlptracegrpc.New(t.Context(), otlptracegrpc.WithEndpointURL(addresses["grpc"]))
			if err != nil {
				t.Fatal(err)
			}
			provider := trace.NewTracerProvider(trace.WithBatcher(exporter))
			otel.SetTracerProvider(provider)
			defer otel.SetTracerProvider(noop.NewTracerProvider())

			socket := filepath.Join(t.TempDir(), "s")
			serve := exec.CommandContext(t.Context(), binary, "serve", "--socket", socket)
			serve.Env = append(os.Environ(), "CODEMODE_LOG_LEVEL=warn", "OTEL_EXPORTER_OTLP_PROTOCOL="+protocol,
				"OTEL_EXPORTER_OTLP_ENDPOINT="+addresses[protocol], "OTEL_EXPORTER_OTLP_HEADERS=collector-key=c0llect")
			serve.Stderr = os.Stderr
			if err := serve.Start(); err != nil {
				t.Fatal(err)
			}
			client, err := executorclient.Dial(executorclient.Options{Address: "unix://" + socket})
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			for { // before the run, which is not to be tried twice
				if _, err := client.Info(t.Context()); err == nil || t.Context().Err() != nil {
					break
				}
				time.Sleep(10 * time.Millisecond)
			}
			reg := registry.New()
			registry.Func(reg, "look", "", func(context.Context, struct{ X string }) (string, error) { return "s3cret-result", nil })
			registry.Func(reg, "fail", "", func(context.Context, struct{}) (int, error) { return 0, io.ErrUnexpectedEOF })
			ctx, caller := provider.Tracer("test").Start(t.Context(), "caller")
			request := executorclient.Request{Tools: reg, Code: "tools.look(X='s3cret-argument')\ntry: tools.fail()\nexcept ToolError: pass"}
			result, err := client.Execute(ctx, request)
			caller.End()
			if err != nil || result.Status != executorclient.OK {
				t.Fatal(err, result.Status)
			}
			environment, err := os.ReadFile("/proc/" + strconv.Itoa(serve.Process.Pid) + "/environ")
			if err != nil || strings.Contains(string(environment), "c0llect") {
				t.Errorf("the collector's key is in the executor's environment (%v)", err)
			}
			if err := serve.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if err := serve.Wait(); err != nil {
				t.Error(err)
			}
			if err := provider.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
			id := caller.SpanContext().TraceID()
			parents, all := spans.tree(t, string(id[:]))
			if diff := cmp.Diff(map[string]string{
				"caller": "", "codemode.execute": "caller", "codemode.executor of the executor": "codemode.execute",
				"codemode.queue of the executor": "codemode.executor of the executor", "codemode.run of the executor": "codemode.executor of the executor",
				"codemode.tool look": "codemode.run of the executor", "codemode.tool fail": "codemode.run of the executor",
			}, parents); diff != "" {
				t.Errorf("each span's parent (-want +got):\n%s", diff)
			}
			if strings.Contains(all, "s3cret") {
				t.Errorf("a value of the program's is in a span: %s", all)
			}
			if spans.keys["c0llect"] == 0 {
				t.Errorf("batches by their key: %v", spans.keys)
			}
		})
	}
}
