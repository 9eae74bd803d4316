package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
)

// goJudge starts python3 for each program in one of its prepared containers, which it
// uses again. The cost of one HTTP request on the loopback interface is in it.
func goJudge() peer {
	return peer{name: "go-judge, starting python3", isolation: "namespaces, limits; containers are used again",
		start: func(ctx context.Context) (func(context.Context) error, func() error, error) {
			binary, err := exec.LookPath("go-judge")
			if err != nil {
				return nil, nil, fmt.Errorf("go-judge: %w", errMissing)
			}
			address, err := freeAddress(ctx)
			if err != nil {
				return nil, nil, err
			}
			dir, err := os.MkdirTemp("", "peers-")
			if err != nil {
				return nil, nil, err
			}
			var said bytes.Buffer
			cmd := exec.CommandContext(ctx, binary, "-silent", "-http-addr", address, "-dir", dir)
			cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &said, &said
			if err := cmd.Start(); err != nil {
				return nil, nil, err
			}
			stop := func() error {
				err := cmd.Process.Kill()
				_ = cmd.Wait() // it was killed
				return errors.Join(err, os.RemoveAll(dir))
			}
			run := func(ctx context.Context) error { return judge(ctx, "http://"+address+"/run") }
			if err := once(ctx, run); err != nil {
				err = errors.Join(err, stop()) // after which nothing writes to said
				return nil, nil, fmt.Errorf("go-judge does not answer: %w %s", err, &said)
			}
			return run, stop, nil
		}}
}

func freeAddress(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func judge(ctx context.Context, url string) error {
	capture := func(name string) any { return map[string]any{"name": name, "max": 10_000} }
	body, err := json.Marshal(map[string]any{"cmd": []any{map[string]any{
		"args": python, "env": []string{"PATH=/usr/bin:/bin"},
		"files":    []any{map[string]any{"content": ""}, capture("stdout"), capture("stderr")},
		"cpuLimit": 10_000_000_000, "memoryLimit": 512 << 20, "procLimit": 50,
	}}})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	reply, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return err
	}
	var results []struct {
		Files struct{ Stdout, Stderr string }
	}
	if err := json.Unmarshal(reply, &results); err != nil || len(results) != 1 {
		return fmt.Errorf("go-judge answered %.200q (%w)", reply, err)
	}
	return says([]byte(results[0].Files.Stdout), nil)
}
