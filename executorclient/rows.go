package executorclient

import (
	"context"
	"sync"
	"time"

	codemodev1 "github.com/codemode-sdk/codemode/internal/gen/codemode/v1"
)

const (
	// batchSize bounds the rows that are sent together, in bytes, unless one alone is larger.
	batchSize = 64 << 10
	// batchWait is how long fewer than batchEnough bytes wait for more, behind other rows.
	batchWait   = 500 * time.Microsecond
	batchEnough = 16 << 10
)

// rows are those of one call: the tool's goroutine puts them into a batch, and another
// sends what there is while the program has given credit.
type rows struct {
	run  *run
	call *call

	enough chan struct{} // holds one when the batch is worth sending, or something else has changed
	room   chan struct{} // holds one when the batch was taken

	mu     sync.Mutex
	batch  []byte // an array that is not closed yet; empty if there are no rows
	count  int
	credit int64
	ended  bool // the tool gives no more
	left   bool // the program reads no more
	cancel context.CancelFunc
}

func newRows(r *run, c *call, credit int64) *rows {
	return &rows{run: r, call: c, credit: credit, enough: make(chan struct{}, 1), room: make(chan struct{}, 1)}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// give runs the tool until it ends, or until the program reads no more, which is no error.
func (s *rows) give(ctx context.Context) error {
	if s.run.calls == nil {
		return noTools(s.call)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.mu.Lock()
	s.cancel = cancel
	left := s.left
	s.mu.Unlock()
	if left {
		return nil
	}
	var sender sync.WaitGroup
	sender.Go(func() { s.send(ctx) })
	err := s.produce(ctx)
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	signal(s.enough)
	sender.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left {
		return nil
	}
	return err
}

func (s *rows) produce(ctx context.Context) error {
	for row, err := range s.run.calls.Rows(ctx, s.call.tool, s.call.arguments, s.run.observer(s.call)) {
		if err == nil {
			err = s.run.checkSize("row", len(row))
		}
		if err != nil {
			return err
		}
		if !s.add(ctx, row) {
			return ctx.Err()
		}
	}
	return nil
}

// add puts a row into the batch, when there is room.
func (s *rows) add(ctx context.Context, row []byte) bool {
	s.mu.Lock()
	for len(s.batch) > 0 && len(s.batch)+len(row)+2 > batchSize {
		s.mu.Unlock()
		select {
		case <-s.room:
		case <-ctx.Done():
			return false
		}
		s.mu.Lock()
	}
	before := len(s.batch)
	if before == 0 {
		s.batch = append(s.batch, '[')
	} else {
		s.batch = append(s.batch, ',')
	}
	s.batch = append(s.batch, row...)
	s.count++
	after := len(s.batch)
	s.mu.Unlock()
	if before == 0 || before < batchEnough && after >= batchEnough {
		signal(s.enough)
	}
	return ctx.Err() == nil
}

// send sends batches until the tool and the batch have come to their end.
func (s *rows) send(ctx context.Context) {
	var sent time.Time
	var spare []byte
	for {
		s.mu.Lock()
		ready := len(s.batch) > 0 && s.credit > 0
		full := len(s.batch) >= batchEnough || s.ended
		over := s.ended && len(s.batch) == 0
		s.mu.Unlock()
		if over {
			return
		}
		var more <-chan time.Time
		if ready && !full {
			if wait := batchWait - time.Since(sent); wait > 0 {
				more, ready = time.After(wait), false
			}
		}
		if !ready {
			select {
			case <-s.enough:
				continue
			case <-more:
			case <-ctx.Done():
				return
			}
		}
		s.mu.Lock()
		s.batch = append(s.batch, ']')
		batch, count := s.batch, s.count
		s.batch, s.count = spare[:0], 0
		s.credit -= int64(len(batch))
		s.mu.Unlock()
		signal(s.room)
		err := s.run.sendResult(&codemodev1.ToolResult{Id: s.call.id, Outcome: &codemodev1.ToolResult_Rows{Rows: batch}})
		if err != nil {
			return // the stream has ended, which Recv reports, and then ctx
		}
		spare, sent = batch, time.Now()
		s.run.progress(s.call, count)
	}
}

// progress records that rows were sent.
func (r *run) progress(c *call, count int) {
	r.mu.Lock()
	over := r.over || !c.pending
	if !over {
		c.sent += count
	}
	r.mu.Unlock()
	if !over {
		r.events.progress(c)
	}
}

// takeCredit lets a call send more rows.
func (r *run) takeCredit(m *codemodev1.Credit) {
	s := r.rowsOf(m.GetId())
	if s == nil {
		return // they have ended meanwhile
	}
	s.mu.Lock()
	s.credit += int64(m.GetBytes())
	s.mu.Unlock()
	signal(s.enough)
}

// takeStop ends a call whose rows nobody reads any more.
func (r *run) takeStop(m *codemodev1.Stop) {
	s := r.rowsOf(m.GetId())
	if s == nil {
		return // they have ended meanwhile
	}
	r.mu.Lock()
	if s.call.pending {
		s.call.settle(time.Since(r.begun), nil, nil)
	}
	r.mu.Unlock()
	s.mu.Lock()
	s.left = true
	cancel := s.cancel
	s.mu.Unlock()
	if cancel != nil {
		cancel()
	}
}

func (r *run) rowsOf(id uint32) *rows {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c := r.open[id]; c != nil {
		return c.rows
	}
	return nil
}
