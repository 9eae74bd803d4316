package registry

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"sync"

	"github.com/codemode-sdk/codemode/internal/value"
)

// Stream registers a Go function that gives rows, one after another: a program gets an
// iterator over them.
//
//	registry.Stream(reg, "db.rows", "Runs a query.",
//		func(ctx context.Context, in Query) iter.Seq2[Row, error] {
//			return func(yield func(Row, error) bool) { ... }
//		})
//
// In and T are as In and Out of Func, and so is the Policy. The iterator runs ahead of the
// program by a window of bytes, not more: yield blocks meanwhile. An error ends the rows,
// and is raised in the program behind the rows before it. When the program reads no
// further, because it left its loop, let go of the iterator or came to its end, ctx ends
// and yield returns false.
func Stream[In, T any](r *Registry, name, description string, fn func(context.Context, In) iter.Seq2[T, error], policy ...Policy) error {
	var handler Handler
	if fn != nil {
		handler = func(ctx context.Context, args Args) (any, error) {
			var in In
			if err := args.Decode(&in); err != nil {
				return nil, err
			}
			return anyRows(fn(ctx, in)), nil
		}
	}
	e := &Entry{name: name, description: description, handler: handler, streaming: true}
	return r.registerTyped(e, reflect.TypeFor[In](), reflect.TypeFor[T](), policy)
}

func anyRows[T any](rows iter.Seq2[T, error]) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		for row, err := range rows {
			if !yield(row, err) {
				return
			}
		}
	}
}

// Rows runs one call of a streaming tool as Call runs that of any other: on the goroutine
// that loops over it, unless the tool has a Policy.Timeout. Each row is in the value encoding, and valid until the next is
// asked for. A call that fails ends with a *ToolError such as Call gives. A loop that is
// left ends the tool's, whose context is the caller's to end.
func (run *Run) Rows(ctx context.Context, name string, arguments []byte, observer *Observer) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		e, ok := run.registry.Lookup(name)
		if !ok {
			yield(nil, run.registry.unknown(name))
			return
		}
		left := false
		err := run.rows(ctx, e, arguments, observer, func(row []byte) bool {
			left = !yield(row, nil)
			return !left
		})
		if err != nil && !left {
			yield(nil, toolError(ctx, name, err))
		}
	}
}

func (run *Run) rows(ctx context.Context, e *Entry, arguments []byte, observer *Observer, yield func([]byte) bool) (err error) {
	if !e.streaming {
		return &ToolError{Kind: KindFailed, Message: "the tool gives one result and no rows"}
	}
	// The iterator is the tool's own code, and so is what encodes its rows.
	defer recovered(&err)
	v, err := run.invoke(ctx, e, arguments, observer)
	if err != nil {
		return err
	}
	rows, err := rowsOf(v)
	if err != nil {
		return err
	}
	var buffer []byte
	for row, err := range rows {
		if err != nil {
			return err
		}
		if buffer, err = value.Append(buffer[:0], row); err != nil {
			return cannotBeSent("row", err)
		}
		if err := e.checkSize("row", len(buffer)); err != nil {
			return err
		}
		if !yield(buffer) {
			break
		}
	}
	return nil
}

// rowsOf takes what a handler, or middleware in its place, returned.
func rowsOf(v any) (iter.Seq2[any, error], error) {
	switch rows := v.(type) {
	case iter.Seq2[any, error]:
		return rows, nil
	case func(func(any, error) bool):
		return rows, nil
	}
	return nil, &ToolError{Kind: KindFailed, Message: fmt.Sprintf("the tool gave a %T in place of rows", v)}
}

// attemptRows runs the handler when its rows are asked for, in one of the places that the
// policy leaves, which it keeps until they have ended.
func (r *Registry) attemptRows(ctx context.Context, e *Entry, args Args) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		release, err := e.place(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		whole := func(ctx context.Context, yield func(any, error) bool) {
			defer release() // not before the iterator has returned
			v, err := e.handler(ctx, args)
			if err != nil {
				yield(nil, err)
				return
			}
			rows, err := rowsOf(v)
			if err != nil {
				yield(nil, err)
				return
			}
			rows(yield)
		}
		if e.policy.Timeout == 0 {
			whole(ctx, yield)
			return
		}
		limited, cancel := context.WithTimeout(ctx, e.policy.Timeout)
		defer cancel()
		watchRows(limited, &r.tasks, whole, func(row any, err error) bool {
			return yield(row, e.overTime(ctx, limited, err))
		})
	}
}

// watchRows is watch for an iterator: when ctx ends, so do the rows, whatever the iterator
// does. It goes on with one row when yield has done with the last.
func watchRows(ctx context.Context, tasks *tasks, rows func(context.Context, func(any, error) bool), yield func(any, error) bool) {
	type row struct {
		value any
		err   error
	}
	given, next, ended := make(chan row), make(chan struct{}), make(chan error, 1)
	leave := sync.OnceFunc(func() { close(next) })
	defer leave()
	tasks.begin()
	go func() {
		defer tasks.end()
		var err error
		defer func() { ended <- err }()
		defer recovered(&err)
		rows(ctx, func(value any, err error) bool {
			select {
			case given <- row{value, err}:
				_, more := <-next
				return more
			case <-ctx.Done():
				return false
			}
		})
	}()
	for {
		select {
		case r := <-given:
			if !yield(r.value, r.err) {
				leave()
				select { // one that notices has ended when the loop has
				case <-ended: //nolint:errcheck // nobody asks any more
				case <-ctx.Done():
				}
				return
			}
			next <- struct{}{} // whoever gave the row waits for it
		case err := <-ended:
			if err == nil {
				err = ctx.Err() // its rows were not all taken
			}
			if err != nil {
				yield(nil, err)
			}
			return
		case <-ctx.Done():
			yield(nil, errors.Join(ctx.Err(), errStillRunning))
			return
		}
	}
}
