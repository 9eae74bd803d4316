package main

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

//go:embed workerd.capnp
var workerdConfig []byte

//go:embed loader.js
var workerdLoader []byte

//go:embed monty.mjs
var montyServer []byte

// workerd makes a new isolate for each program, through a worker loader. The cost of one
// HTTP request on a unix socket is in it.
func workerd(npm string) peer {
	return peer{name: "workerd, a new isolate (JavaScript)", isolation: "a V8 isolate; several in one process",
		start: func(ctx context.Context) (func(context.Context) error, func() error, error) {
			binary := filepath.Join(npm, "node_modules", ".bin", "workerd")
			if found, err := filepath.Glob(filepath.Join(npm, "node_modules", "@cloudflare", "workerd-*", "bin", "workerd")); err == nil && len(found) > 0 {
				binary = found[0]
			}
			if _, err := os.Stat(binary); npm == "" || err != nil {
				return nil, nil, fmt.Errorf("workerd: %w (npm install workerd, and -npm)", errMissing)
			}
			dir, err := os.MkdirTemp("", "peers-")
			if err != nil {
				return nil, nil, err
			}
			err = errors.Join(
				os.WriteFile(filepath.Join(dir, "workerd.capnp"), workerdConfig, 0o600),
				os.WriteFile(filepath.Join(dir, "loader.js"), workerdLoader, 0o600))
			if err != nil {
				return nil, nil, err
			}
			socket := filepath.Join(dir, "socket")
			var said bytes.Buffer
			cmd := exec.CommandContext(ctx, binary, "serve", "--experimental", "--socket-addr=http=unix:"+socket, filepath.Join(dir, "workerd.capnp"))
			cmd.Stdout, cmd.Stderr = &said, &said
			if err := cmd.Start(); err != nil {
				return nil, nil, err
			}
			stop := func() error {
				err := cmd.Process.Kill()
				_ = cmd.Wait() // it was killed
				return errors.Join(err, os.RemoveAll(dir))
			}
			client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "unix", socket)
			}}}
			run := func(ctx context.Context) error {
				request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://workerd/", http.NoBody)
				if err != nil {
					return err
				}
				response, err := client.Do(request)
				if err != nil {
					return err
				}
				defer response.Body.Close()
				return says(io.ReadAll(response.Body))
			}
			if err := once(ctx, run); err != nil {
				err = errors.Join(err, stop()) // after which nothing writes to said
				return nil, nil, fmt.Errorf("workerd does not answer: %w %s", err, &said)
			}
			return run, stop, nil
		}}
}

// once tries until a service that was just started has run one program.
func once(ctx context.Context, run func(context.Context) error) error {
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if err := run(ctx); err == nil || time.Now().After(deadline) {
			return err
		}
	}
}

// monty runs programs in a Node.js. The way there and back, through two pipes, is in it.
func monty(npm string) peer {
	return peer{name: "Monty, in Node.js (a part of Python)", isolation: "none: an interpreter in the same process, of a part of Python",
		start: func(ctx context.Context) (func(context.Context) error, func() error, error) {
			if _, err := os.Stat(filepath.Join(npm, "node_modules", "@pydantic", "monty")); npm == "" || err != nil {
				return nil, nil, fmt.Errorf("@pydantic/monty: %w (npm install @pydantic/monty, and -npm)", errMissing)
			}
			cmd := exec.CommandContext(ctx, "node", "--input-type=module", "--eval", string(montyServer))
			cmd.Dir = npm
			cmd.Stderr = os.Stderr
			in, err := cmd.StdinPipe()
			if err != nil {
				return nil, nil, err
			}
			out, err := cmd.StdoutPipe()
			if err != nil {
				return nil, nil, err
			}
			if err := cmd.Start(); err != nil {
				return nil, nil, err
			}
			lines := bufio.NewReader(out)
			turn := make(chan struct{}, 1)
			return func(context.Context) error {
				turn <- struct{}{}
				defer func() { <-turn }()
				if _, err := io.WriteString(in, "1+1\n"); err != nil {
					return err
				}
				return says(lines.ReadBytes('\n'))
			}, func() error { return errors.Join(in.Close(), cmd.Wait()) }, nil
		}}
}

func peers(npm, image string) []peer {
	return []peer{own(), workerd(npm), bubblewrap(), nsjail(), goJudge(), dockerRun(image), starlarkGo(), gojaJS(), monty(npm)}
}
