package bench

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
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

// forkLoops times os.fork() + run + wait in a warm CPython without any isolation, one after
// another in each of so many processes at once, and gives how many there were per second.
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
	return measure(count, 0, func() error {
		cmd := exec.CommandContext(ctx, python, "-I", "-S", "-c", "1+1")
		cmd.Env = []string{"LANG=C.UTF-8"}
		return cmd.Run()
	})
}

// socketFloor times a round trip of a small message to a CPython on a socket pair, with a
// pause before each.
func socketFloor(ctx context.Context, python string, count int, pause time.Duration) (sample, error) {
	conn, theirs, err := connPair()
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
	got, err := measure(count, pause, func() error {
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

// connPair gives the two ends of a socket pair: ours, and one for another process.
func connPair() (net.Conn, *os.File, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "ours"), os.NewFile(uintptr(pair[1]), "theirs")
	conn, err := net.FileConn(ours)
	if err := errors.Join(err, ours.Close()); err != nil {
		return nil, nil, errors.Join(err, theirs.Close())
	}
	return conn, theirs, nil
}

// grpcFloor times a round trip of a small message on a gRPC stream over a unix socket, with
// a pause before each.
func grpcFloor(ctx context.Context, count int, pause time.Duration) (got sample, err error) {
	err = withStream(ctx, echo, func(stream grpc.ClientStream) error {
		message, reply := wrapperspb.Bytes(make([]byte, 64)), new(wrapperspb.BytesValue)
		got, err = measure(count, pause, func() error {
			if err := stream.SendMsg(message); err != nil {
				return err
			}
			return stream.RecvMsg(reply)
		})
		return err
	})
	return got, err
}

// pathFloor times what a tool call goes through, and nothing else: from a CPython over a
// socket pair to one process, from there on a gRPC stream to another place in it, and back.
func pathFloor(ctx context.Context, python string, count int) (got sample, err error) {
	conn, theirs, err := connPair()
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	relay := func(_ any, stream grpc.ServerStream) error {
		go func() { // ends with the stream
			for {
				var m wrapperspb.BytesValue
				if stream.RecvMsg(&m) != nil {
					return
				}
				if _, err := conn.Write(m.GetValue()); err != nil {
					return
				}
			}
		}()
		buffer := make([]byte, 4096)
		for {
			n, err := conn.Read(buffer)
			if err != nil {
				return err // the caller is done
			}
			if err := stream.SendMsg(wrapperspb.Bytes(buffer[:n])); err != nil {
				return err
			}
		}
	}
	err = withStream(ctx, relay, func(stream grpc.ClientStream) error {
		var answering sync.WaitGroup
		answering.Go(func() {
			for {
				var m wrapperspb.BytesValue
				if stream.RecvMsg(&m) != nil || stream.SendMsg(&m) != nil {
					return // the stream has ended
				}
			}
		})
		cmd := floorCommand(ctx, python, "call", count)
		cmd.ExtraFiles = []*os.File{theirs}
		said, err := cmd.Output()
		err = errors.Join(err, theirs.Close(), conn.Close())
		answering.Wait()
		if err != nil {
			return fmt.Errorf("the floor of a call: %w", err)
		}
		var seconds []float64
		if err := json.Unmarshal(said, &seconds); err != nil {
			return fmt.Errorf("the floor of a call: %w", err)
		}
		got = ofSeconds(seconds)
		return nil
	})
	return got, err
}

// executionFloor times what an execution goes through, and nothing else: a gRPC stream
// of its own over a unix socket, and a message to a CPython that waits for it, and back;
// arriving perSecond on average.
func executionFloor(ctx context.Context, python string, count int, perSecond float64) (got sample, err error) {
	conn, theirs, err := connPair()
	if err != nil {
		return nil, err
	}
	cmd := floorCommand(ctx, python, "echo", 0)
	cmd.ExtraFiles = []*os.File{theirs}
	if err := errors.Join(cmd.Start(), theirs.Close()); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	var turn sync.Mutex
	relay := func(_ any, stream grpc.ServerStream) error {
		var m wrapperspb.BytesValue
		if err := stream.RecvMsg(&m); err != nil {
			return err
		}
		turn.Lock()
		defer turn.Unlock()
		if _, err := conn.Write(m.GetValue()); err != nil {
			return err
		}
		if _, err := io.ReadFull(conn, m.GetValue()); err != nil {
			return err
		}
		return stream.SendMsg(&m)
	}
	err = withConnection(ctx, relay, func(open func() (grpc.ClientStream, error)) error {
		got, err = arrivals(count, perSecond, func() error {
			stream, err := open()
			if err != nil {
				return err
			}
			var m wrapperspb.BytesValue
			if err := stream.SendMsg(wrapperspb.Bytes(make([]byte, 64))); err != nil {
				return err
			}
			if err := stream.RecvMsg(&m); err != nil {
				return err
			}
			if err := stream.RecvMsg(&m); !errors.Is(err, io.EOF) {
				return errors.Join(err, errors.New("the stream did not end"))
			}
			return nil
		})
		return err
	})
	return got, errors.Join(err, conn.Close(), cmd.Wait())
}

func echo(_ any, stream grpc.ServerStream) error {
	for {
		var m wrapperspb.BytesValue
		if err := stream.RecvMsg(&m); err != nil {
			return err // the client is done
		}
		if err := stream.SendMsg(&m); err != nil {
			return err
		}
	}
}

// withStream opens a stream over a unix socket to a server that handles it.
func withStream(ctx context.Context, handle grpc.StreamHandler, do func(grpc.ClientStream) error) error {
	return withConnection(ctx, handle, func(open func() (grpc.ClientStream, error)) error {
		stream, err := open()
		if err != nil {
			return err
		}
		return do(stream)
	})
}

// withConnection connects over a unix socket to a server that handles all streams.
func withConnection(ctx context.Context, handle grpc.StreamHandler, do func(open func() (grpc.ClientStream, error)) error) (err error) {
	dir, err := os.MkdirTemp("", "codemode-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	listener, err := new(net.ListenConfig).Listen(ctx, "unix", filepath.Join(dir, "s"))
	if err != nil {
		return err
	}
	server := grpc.NewServer(grpc.UnknownServiceHandler(handle))
	var serving sync.WaitGroup
	defer serving.Wait()
	defer server.Stop()
	serving.Go(func() { err = errors.Join(err, server.Serve(listener)) })
	conn, err := grpc.NewClient("unix://"+listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer conn.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	return do(func() (grpc.ClientStream, error) {
		return conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, "/bench/Floor")
	})
}
