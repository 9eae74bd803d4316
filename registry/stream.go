package registry

import (
	"context"
	"fmt"
	"iter"
	"reflect"

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

// Rows runs one call of a streaming tool, on the goroutine that loops over it, as Call
// runs that of any other. Each row is in the value encoding, and valid until the next is
// asked for. A call that fails ends with a *ToolError such as Call gives. A loop that is
// left ends the tool's, whose context is the caller's to end.
func (run *Run) Rows(ctx context.Context, name string, arguments []byte, hold func(held bool)) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		e, ok := run.registry.Lookup(name)
		if !ok {
			yield(nil, run.registry.unknown(name))
			return
		}
		left := false
		err := run.rows(ctx, e, arguments, hold, func(row []byte) bool {
			left = !yield(row, nil)
			return !left
		})
		if err != nil && !left {
			yield(nil, toolError(ctx, name, err))
		}
	}
}

func (run *Run) rows(ctx context.Context, e *Entry, arguments []byte, hold func(bool), yield func([]byte) bool) (err error) {
	if !e.streaming {
		return &ToolError{Kind: KindFailed, Message: "the tool gives one result and no rows"}
	}
	// The iterator is the tool's own code, and so is what encodes its rows.
	defer recovered(&err)
	v, err := run.invoke(ctx, e, arguments, hold)
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
func (e *Entry) attemptRows(ctx context.Context, args Args) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		if e.places != nil {
			select {
			case e.places <- struct{}{}:
				defer func() { <-e.places }()
			case <-ctx.Done():
				yield(nil, ctx.Err())
				return
			}
		}
		if e.policy.Timeout > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, e.policy.Timeout)
			defer cancel()
		}
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
}
