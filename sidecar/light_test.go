package sidecar

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/codemode-sdk/codemode/config"
	codemodev1 "github.com/codemode-sdk/codemode/internal/gen/codemode/v1"
)

func TestLight(t *testing.T) {
	cfg := config.DefaultSidecar()
	if p := os.Getenv("PY"); p != "" {
		cfg.Python = p
	}
	t0 := time.Now()
	s, err := New(t.Context(), cfg, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	fmt.Println("start", time.Since(t0), s.Python())
	for _, l := range s.Layers() {
		fmt.Printf("%+v\n", l)
	}
	conn, err := grpc.NewClient("passthrough:///x", grpc.WithContextDialer(s.Dial), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	c := codemodev1.NewExecutorServiceClient(conn)
	run := func(code string) *codemodev1.Result {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		st, err := c.Execute(ctx)
		if err != nil {
			t.Fatal(err)
		}
		st.Send(&codemodev1.ExecuteRequest{Message: &codemodev1.ExecuteRequest_Start{Start: &codemodev1.Start{Code: code, Tools: []*codemodev1.Tool{{Name: "a.b", Path: []string{"a", "b"}, Parameters: []*codemodev1.Parameter{{Name: "x", Required: true}}}}}}})
		for {
			r, err := st.Recv()
			if err != nil {
				t.Fatal(err)
			}
			if testing.Verbose() && os.Getenv("V") != "" {
				fmt.Println(r)
			}
			if c := r.GetToolCall(); c != nil {
				st.Send(&codemodev1.ExecuteRequest{Message: &codemodev1.ExecuteRequest_ToolResult{ToolResult: &codemodev1.ToolResult{Id: c.Id, Outcome: &codemodev1.ToolResult_Value{Value: c.Arguments}}}})
			}
			if res := r.GetResult(); res != nil {
				return res
			}
		}
	}
	if code := os.Getenv("CODE"); code != "" {
		fmt.Println(run(code))
		return
	}
	for range 20 {
		run("1+1")
	}
	for _, gap := range []time.Duration{0, 10 * time.Millisecond} {
		var ds []time.Duration
		t1 := time.Now()
		for range 300 {
			t0 := time.Now()
			run("1+1")
			ds = append(ds, time.Since(t0))
			time.Sleep(gap)
		}
		total := time.Since(t1)
		fmt.Println("gap", gap, "p50", p50(ds), total/300)
	}
}

func p50(d []time.Duration) time.Duration {
	for i := range d {
		for j := i; j > 0 && d[j] < d[j-1]; j-- {
			d[j], d[j-1] = d[j-1], d[j]
		}
	}
	return d[len(d)/2]
}
