package registry

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/codemode-sdk/codemode/internal/fault"
)

// A Source fills a registry from elsewhere: an MCP server, an OpenAPI document. It is a
// pointer, or something else that can be compared.
type Source interface {
	// Start connects, and gives the registry its tools through Registry.Replace. ctx
	// bounds the starting only. After an error, Start has left nothing to close. Neither
	// Start nor Close may call the registry's.
	Start(ctx context.Context, reg *Registry) error
	// Close disconnects and waits for what the source had running. Its tools are taken
	// out of the registry by Registry.Close.
	Close() error
}

// A Source that has a method Ready() error is asked by Registry.Ready.
type readier interface{ Ready() error }

// Attach adds a source. Sources are started in the order in which they were attached, and
// closed in the opposite one. One that is attached to a registry that has been started
// waits for the next Start. It fails if the source is nil, cannot be compared or is
// attached already; Err keeps the error as well.
func (r *Registry) Attach(s Source) error {
	err := checkSource(s)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil && slices.Contains(r.sources, s) {
		err = fault.New(fault.Invalid, "it is attached already")
	}
	if err != nil {
		err = fault.Wrap(fault.Invalid, err, "cannot attach the source %s at %s", sourceName(s), origin())
		r.errs = append(r.errs, err)
		return err
	}
	r.sources = append(r.sources, s)
	return nil
}

// Detach undoes Attach, for a source that is no longer wanted: it is closed if it runs,
// and its tools are taken out. A source that is not attached is left alone.
func (r *Registry) Detach(s Source) error {
	if checkSource(s) != nil {
		return nil // it cannot have been attached
	}
	r.lifecycle.Lock()
	defer r.lifecycle.Unlock()
	r.mu.Lock()
	i := slices.Index(r.sources, s)
	if i >= 0 {
		r.sources = slices.Delete(r.sources, i, i+1)
	}
	r.mu.Unlock()
	i = slices.Index(r.running, s)
	if i < 0 {
		return nil
	}
	r.setRunning(slices.Concat(r.running[:i], r.running[i+1:]))
	return r.end(s)
}

// end closes a source that was running.
func (r *Registry) end(s Source) error {
	defer r.withdraw(s)
	if err := s.Close(); err != nil {
		return fault.Wrap(fault.Unavailable, err, "closing the source %s", sourceName(s))
	}
	return nil
}

func checkSource(s Source) error {
	switch v := reflect.ValueOf(s); {
	case !v.IsValid(), v.Kind() == reflect.Pointer && v.IsNil():
		return fault.New(fault.Invalid, "it is nil")
	case !v.Comparable():
		return fault.New(fault.Invalid, "a %s cannot be compared", v.Type()).WithRemedy("use a pointer to it")
	}
	return nil
}

// sourceName is a source's own name, if it has one, for messages.
func sourceName(s Source) string {
	if named, ok := s.(fmt.Stringer); ok && checkSource(s) == nil {
		return named.String()
	}
	return fmt.Sprintf("%T", s)
}

// Start starts the sources that are not running, one after another. Where one fails,
// those that this call had started are closed again. Each Start that succeeded needs its
// Close: the sources run until the last of them.
func (r *Registry) Start(ctx context.Context) error {
	r.lifecycle.Lock()
	defer r.lifecycle.Unlock()
	before := len(r.running)
	for _, s := range r.attached() {
		if slices.Contains(r.running, s) {
			continue
		}
		err := ctx.Err()
		if err == nil {
			err = s.Start(ctx, r)
		}
		if err != nil {
			r.withdraw(s) // what it gave before it failed
			code := fault.Unavailable
			if known, ok := errors.AsType[*fault.Error](err); ok {
				code = known.Code
			}
			err = fault.Wrap(code, err, "cannot start the source %s", sourceName(s))
			return errors.Join(err, r.closeFrom(before))
		}
		r.setRunning(append(slices.Clip(r.running), s))
	}
	r.starts++
	return nil
}

func (r *Registry) attached() []Source {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Clone(r.sources)
}

// Ready says whether every source runs and is connected, as far as it knows itself, and
// whether every registration succeeded; the error says why not.
func (r *Registry) Ready() error {
	errs := []error{r.Err()}
	r.mu.RLock()
	attached, running := slices.Clone(r.sources), slices.Clone(r.running)
	r.mu.RUnlock()
	for _, s := range attached {
		var err error
		if !slices.Contains(running, s) {
			err = fault.New(fault.Unavailable, "it has not been started")
		} else if asked, ok := s.(readier); ok {
			err = asked.Ready()
		}
		if err != nil {
			errs = append(errs, fault.Wrap(fault.Unavailable, err, "the source %s is not ready", sourceName(s)))
		}
	}
	return errors.Join(errs...)
}

// Close undoes one Start. With the last one, the sources are closed and their tools are
// taken out; the others stay. It waits for handlers that went on after their timeout. Without a Start it does nothing.
func (r *Registry) Close() error {
	r.lifecycle.Lock()
	defer r.lifecycle.Unlock()
	if r.starts > 0 {
		r.starts--
	}
	if r.starts > 0 {
		return nil
	}
	err := r.closeFrom(0)
	r.tasks.wait()
	return err
}

func (r *Registry) setRunning(running []Source) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running = running
}

// closeFrom closes the running sources from an index on, the last one first.
func (r *Registry) closeFrom(first int) error {
	var errs []error
	for _, s := range slices.Backward(r.running[first:]) {
		errs = append(errs, r.end(s))
	}
	r.setRunning(r.running[:first])
	return errors.Join(errs...)
}

// Replace makes tools the tools of a source, in place of those that it gave before and
// in one step: nobody sees some of the old and some of the new. It fails with a
// fault.Invalid that names every tool that cannot be registered, and then nothing has
// changed. Err does not keep the error: what to do about it is the source's decision.
//
// Calls that are under way go on. A program that runs sees the tools there were when it
// started; one that has since gone fails with KindUnknownTool when it is called.
func (r *Registry) Replace(s Source, tools ...Tool) error {
	if err := checkSource(s); err != nil {
		return fault.Wrap(fault.Invalid, err, "cannot replace the tools of the source %s", sourceName(s))
	}
	place := origin()
	entries := make([]*Entry, len(tools))
	var errs []error
	for i, t := range tools {
		e := &Entry{name: t.Name, description: t.Description, handler: t.Handler, streaming: t.Streaming, given: t.Policy, origin: t.Origin, source: s}
		if e.origin == "" {
			e.origin = sourceName(s) + " at " + place
		}
		entries[i] = e
		if err := e.complete(t.schemas); err != nil {
			errs = append(errs, e.refused(err))
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(errs) == 0 {
		old, oldSpelled := maps.Clone(r.entries), maps.Clone(r.spelled)
		r.drop(s)
		for _, e := range entries {
			if err := r.insert(e); err != nil {
				errs = append(errs, e.refused(err))
			}
		}
		if len(errs) > 0 {
			r.entries, r.spelled = old, oldSpelled
		}
	}
	return errors.Join(errs...)
}

// Remove takes a tool out, and says whether it was there. Calls of it that are under way
// go on.
func (r *Registry) Remove(name string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok := r.entries[name]
	if ok {
		r.delete(e)
	}
	return ok
}

// withdraw takes the tools of a source out.
func (r *Registry) withdraw(s Source) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.drop(s)
}

func (r *Registry) drop(s Source) {
	for _, e := range r.entries {
		if e.source == s {
			r.delete(e)
		}
	}
}

func (r *Registry) delete(e *Entry) {
	r.tellChanged()
	delete(r.entries, e.name)
	delete(r.spelled, e.spelling())
	r.view = nil
}
