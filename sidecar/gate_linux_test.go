package sidecar

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/codemode-sdk/codemode/config"
)

// Each client gets its share, whatever the others ask for. A script has a step for each
// word: "a" is an execution of client a that asks, "-a" one of a's that leaves, the one
// admitted first; "!" cancels all that wait, "." lets the queue's time run out, "x" stops
// the executor. What follows is who was admitted, in this order, and refused (as "a:why").
func TestGate(t *testing.T) {
	for _, test := range []struct {
		name                       string
		workers, perClient, places int
		script, want               string
	}{
		{"admits up to its workers", 2, 0, 1, "a a", "a a"},
		{"lets the first in line in first", 1, 0, 3, "a b c -a -b", "a b c"},
		{"refuses at once when the queue is full", 1, 0, 1, "a a a", "a a:queue_full"},
		{"has no queue where none is wanted", 1, 0, 0, "a b -a b", "a b:queue_full b"},
		{"serves clients in turn", 1, 0, 9, "a a a a b b -a -a -b -a", "a a b a b"},
		{"is fair to three", 1, 0, 9, "a a a b b c -a -a -b -c -a", "a a b c a b"},
		{"gives a worker to who has fewest", 3, 0, 9, "a a b a a a b -b", "a a b b"},
		{"does not starve one that waits, by others that come and go", 1, 0, 9, "b a c -b b -a -c", "b a c b"},
		{"holds each to its limit", 4, 2, 9, "a a a b a -a -b -a", "a a b a a"},
		{"has room for others where one is at its limit", 2, 1, 9, "a a a b -a -a", "a b a a"},
		{"lets a newcomer into a queue that one has filled", 1, 0, 2, "a a a b -a -a", "a a:queue_full a b"},
		{"even a queue of one", 1, 0, 1, "a a b -a", "a a:queue_full b"},
		{"does not let those who ask for as much push each other out", 1, 0, 2, "a a b b b", "a b:queue_full b:queue_full"},
		{"forgets those who have gone", 1, 0, 2, "a b ! c -a", "a b:gone c"},
		{"forgets those whose time is over", 1, 0, 2, "a b . c -a", "a b:queue_timeout c"},
		{"tells those who wait that it stops", 1, 0, 2, "a b x c -a", "a b:draining c:draining"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var g gate
				g.init(config.Pool{MaxWorkers: test.workers, MaxPerClient: test.perClient, Queue: test.places, QueueTimeout: time.Second})
				if got := playGate(t, &g, test.script); got != test.want {
					t.Errorf("%s: got %q, want %q", test.script, got, test.want)
				}
			})
		})
	}
}

func playGate(t *testing.T, g *gate, script string) string {
	var mu sync.Mutex // for those that are told at the same moment
	var told []string
	leaves := map[string][]func(){}
	ctx, cancel := context.WithCancel(t.Context())
	for word := range strings.FieldsSeq(script) {
		switch client, goes := strings.CutPrefix(word, "-"); {
		case goes:
			if len(leaves[client]) == 0 {
				t.Fatalf("%s: %s is not in", script, client)
			}
			leave := leaves[client][0]
			leaves[client] = leaves[client][1:]
			leave()
		case word == "!":
			cancel()
			ctx, cancel = context.WithCancel(t.Context())
		case word == ".":
			time.Sleep(2 * time.Second)
		case word == "x":
			g.close()
		default:
			go func(ctx context.Context) {
				leave, refused, err := g.enter(ctx, client)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					told = append(told, client+":"+refused)
					return
				}
				told = append(told, client)
				leaves[client] = append(leaves[client], leave)
			}(ctx)
		}
		synctest.Wait()
	}
	said := strings.Join(told, " ")
	cancel() // those who wait
	synctest.Wait()
	for _, all := range leaves {
		for _, leave := range all {
			leave()
		}
	}
	if running, queued := g.figures(); running != 0 || queued != 0 || len(g.clients) != 0 || len(g.waiting) != 0 {
		t.Errorf("%s: %d run, %d wait, %d clients are left", script, running, queued, len(g.clients))
	}
	return said
}

// Whoever is refused for want of room is told when to try again.
func TestRefusalsForWantOfRoomSayWhenToTryAgain(t *testing.T) {
	var g gate
	g.init(config.Pool{MaxWorkers: 1, Queue: 0, QueueTimeout: time.Second})
	leave, _, err := g.enter(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	defer leave()
	_, _, err = g.enter(t.Context(), "a")
	refusal := status.Convert(err)
	hinted := false
	for _, detail := range refusal.Details() {
		if info, is := detail.(*errdetails.RetryInfo); is {
			hinted = info.GetRetryDelay().AsDuration() > 0
		}
	}
	if refusal.Code() != codes.ResourceExhausted || !hinted {
		t.Errorf("%v %v", err, refusal.Details())
	}
}
