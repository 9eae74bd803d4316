package bench

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/codemode-sdk/codemode/executorclient"
)

// measureCancels times from the cancel of a busy program to the return of Execute, and to
// the end of its process.
func (b *bench) measureCancels(ctx context.Context) error {
	var returned, gone sample
	for range max(b.Runs/3, 30) {
		r, g, err := b.cancelOne(ctx)
		if err != nil {
			return err
		}
		returned, gone = append(returned, r), append(gone, g)
	}
	b.addTimes("cancel until Execute returned", returned)
	ended := b.addTimes("cancel until the process is gone", gone)
	b.ratio("cancel to process gone, p99", "20 ms", ended.P99, 20, 1, false)
	return nil
}

func (b *bench) cancelOne(ctx context.Context) (returned, gone time.Duration, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var begun time.Time
	var found error
	end := make(chan endOfProcess, 1)
	result, err := b.Execute(ctx, executorclient.Request{
		Code: "import os\nprint(os.getpid(), flush=True)\nwhile True: pass",
		OnEvent: func(e executorclient.Event) {
			if !begun.IsZero() || e.Stdout == "" {
				return
			}
			var handles []unix.PollFd
			if handles, found = handlesOf(strings.TrimSpace(e.Stdout)); found == nil {
				go func() { end <- awaitEnd(handles) }()
			}
			begun = time.Now()
			cancel()
		},
	})
	returned = time.Since(begun)
	if result.Status != executorclient.Cancelled {
		return 0, 0, fmt.Errorf("a cancelled run ended with %s: %w", result.Status, err)
	}
	if found != nil {
		return 0, 0, found
	}
	ended := <-end
	return returned, ended.at.Sub(begun), ended.err
}

type endOfProcess struct {
	at  time.Time
	err error
}

// handlesOf opens the processes that a program may be which says its process id. It knows
// the one that its namespace has for it, which workers of two fork servers may share.
func handlesOf(inner string) ([]unix.PollFd, error) {
	all, err := descendants()
	if err != nil {
		return nil, err
	}
	var handles []unix.PollFd
	for _, p := range all {
		if p.zombie || strconv.Itoa(p.innermost) != inner {
			continue
		}
		fd, err := unix.PidfdOpen(p.pid, 0)
		if errors.Is(err, unix.ESRCH) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("pidfd_open: %w", err)
		}
		handles = append(handles, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
	}
	if len(handles) == 0 {
		return nil, errors.New("the process of a program is not to be found in /proc")
	}
	return handles, nil
}

// awaitEnd waits for the first of several processes to end. Those beside the one that is
// meant wait for programs, and go on doing so.
func awaitEnd(handles []unix.PollFd) endOfProcess {
	defer func() {
		for _, h := range handles {
			unix.Close(int(h.Fd))
		}
	}()
	for {
		n, err := unix.Poll(handles, 10_000)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return endOfProcess{err: fmt.Errorf("poll: %w", err)}
		case n == 0:
			return endOfProcess{err: errors.New("a cancelled program's process lived for 10 s")}
		default:
			return endOfProcess{at: time.Now()}
		}
	}
}
