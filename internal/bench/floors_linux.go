package bench

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/codemode-sdk/codemode/sidecar"
)

//go:embed floors.py
var floorsSource string

func floorCommand(ctx context.Context, python, what string, count int) *exec.Cmd {
	cmd := exec.CommandContext(ctx, python, "-I", "-B", "-c", floorsSource, what, strconv.Itoa(count),
		strings.Join(sidecar.WarmModules(), ","))
	cmd.Env = []string{"LANG=C.UTF-8"}
	cmd.Stderr = os.Stderr
	return cmd
}

// forkFloor times os.fork() + run + wait in a warm CPython without any isolation: one
// after another, and in one process per core at once.
func forkFloor(ctx context.Context, python string, count int) (sample, float64, error) {
	alone, _, err := forkLoops(ctx, python, count, 1)
	if err != nil {
		return nil, 0, err
	}
	_, perSecond, err := forkLoops(ctx, python, count, runtime.NumCPU())
	return alone, perSecond, err
}

func forkLoops(ctx context.Context, python string, count, processes int) (sample, float64, error) {
	var mu sync.Mutex
	var all sample
	var wg sync.WaitGroup
	var failure error
	begin, ready := make(chan struct{}), sync.WaitGroup{}
	ready.Add(processes)
	for range processes {
		wg.Go(func() {
			got, err := forkLoop(ctx, python, count, func() {
				ready.Done()
				<-begin
			})
			mu.Lock()
			defer mu.Unlock()
			all = append(all, got...)
			if err != nil {
				failure = err
			}
		})
	}
	ready.Wait()
	begun := time.Now()
	close(begin)
	wg.Wait()
	return all, float64(processes*count) / time.Since(begun).Seconds(), failure
}

func forkLoop(ctx context.Context, python string, count int, ready func()) (sample, error) {
	told := false
	tell := func() {
		if !told {
			told = true
			ready()
		}
	}
	defer tell()
	cmd := floorCommand(ctx, python, "fork", count)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("the fork floor: %w", err)
	}
	lines := bufio.NewReader(stdout)
	if _, err := lines.ReadString('\n'); err != nil {
		return nil, fmt.Errorf("the fork floor: %w", err)
	}
	tell()
	if _, err := stdin.Write([]byte("\n")); err != nil {
		return nil, err
	}
	var seconds []float64
	if err := json.NewDecoder(lines).Decode(&seconds); err != nil {
		return nil, fmt.Errorf("the fork floor: %w", err)
	}
	got := make(sample, len(seconds))
	for i, s := range seconds {
		got[i] = time.Duration(s * float64(time.Second))
	}
	return got, cmd.Wait()
}

// startFloor times a plain start of the interpreter, to its end.
func startFloor(ctx context.Context, python string, count int) (sample, error) {
	return measure(count, func() error {
		cmd := exec.CommandContext(ctx, python, "-I", "-S", "-c", "1+1")
		cmd.Env = []string{"LANG=C.UTF-8"}
		return cmd.Run()
	})
}

// socketFloor times a round trip of a small message to a CPython on a socket pair.
func socketFloor(ctx context.Context, python string, count int) (sample, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "ours"), os.NewFile(uintptr(pair[1]), "theirs")
	conn, err := net.FileConn(ours)
	ours.Close()
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	cmd := floorCommand(ctx, python, "echo", 0)
	cmd.ExtraFiles = []*os.File{theirs}
	err = cmd.Start()
	theirs.Close()
	if err != nil {
		return nil, err
	}
	message, reply := make([]byte, 64), make([]byte, 64)
	got, err := measure(count, func() error {
		if _, err := conn.Write(message); err != nil {
			return err
		}
		_, err := conn.Read(reply)
		return err
	})
	conn.Close()
	if failed := cmd.Wait(); err == nil {
		err = failed
	}
	return got, err
}

// grpcFloor times a round trip of a small message on a gRPC stream over a unix socket.
func grpcFloor(ctx context.Context, count int) (_ sample, err error) {
	dir, err := os.MkdirTemp("", "codemode-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	listener, err := new(net.ListenConfig).Listen(ctx, "unix", filepath.Join(dir, "s"))
	if err != nil {
		return nil, err
	}
	server := grpc.NewServer(grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
		for {
			var m wrapperspb.BytesValue
			if err := stream.RecvMsg(&m); err != nil {
				return err // the client is done
			}
			if err := stream.SendMsg(&m); err != nil {
				return err
			}
		}
	}))
	var serving sync.WaitGroup
	defer serving.Wait()
	defer server.Stop()
	serving.Go(func() { err = errors.Join(err, server.Serve(listener)) })
	conn, err := grpc.NewClient("unix://"+listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, "/bench/Echo")
	if err != nil {
		return nil, err
	}
	message, reply := wrapperspb.Bytes(make([]byte, 64)), new(wrapperspb.BytesValue)
	return measure(count, func() error {
		if err := stream.SendMsg(message); err != nil {
			return err
		}
		return stream.RecvMsg(reply)
	})
}
