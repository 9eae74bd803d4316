package registry

import (
	"errors"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/codemode-sdk/codemode/internal/fault"
	"github.com/codemode-sdk/codemode/schema"
)

const (
	// MaxNameBytes bounds a tool's name.
	MaxNameBytes = 256
	// MaxTools bounds the tools of one Registry; the wire carries no more.
	MaxTools = 10_000
)

// A Registry holds tools. The zero value is an empty one, ready to use. It must not be
// copied.
type Registry struct {
	mu      sync.RWMutex
	entries map[string]*Entry
	spelled map[string]*Entry // by Python path
	sources []Source          // in the order of Attach
	choose  func(*Entry, Policy) Policy
	errs    []error
	changed chan struct{} // nil if nobody waits for a change
	view    *View         // nil after a change

	discovering sync.Mutex
	discovered  []*provision

	lifecycle sync.Mutex // held while sources start and close
	running   []Source   // in the order of their starts; written with both locks held
	starts    int        // without a Close

	tasks tasks // handlers and approvals that somebody gave up on
}

// New makes an empty Registry.
func New() *Registry { return &Registry{} }

// Add registers a tool. It fails with fault.Invalid where the name cannot be used or is
// taken, or a schema does not compile; Err keeps the error as well.
func (r *Registry) Add(t Tool) error {
	place := t.Origin
	if place == "" {
		place = origin()
	}
	return r.register(&Entry{name: t.Name, description: t.Description, handler: t.Handler, streaming: t.Streaming, given: t.Policy, origin: place}, t.schemas)
}

// register is the way in for what the application adds itself; every error ends in r.errs too.
func (r *Registry) register(e *Entry, schemas func() (in, out *schema.Schema, err error)) error {
	err := e.complete(schemas)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		err = r.insert(e)
	}
	if err != nil {
		err = e.refused(err)
		r.errs = append(r.errs, err)
	}
	return err
}

func (e *Entry) refused(err error) error {
	return fault.Wrap(fault.Invalid, err, "cannot register the tool %q from %s", e.name, e.origin)
}

func (e *Entry) complete(schemas func() (in, out *schema.Schema, err error)) (err error) {
	if err := checkName(e.name); err != nil {
		return err
	}
	if !utf8.ValidString(e.description) {
		return fault.New(fault.Invalid, "its description is not UTF-8")
	}
	e.path = pythonPath(e.name)
	if e.input, e.output, err = schemas(); err != nil {
		return err
	}
	e.stub, err = schema.ToolDoc{Name: e.name, Description: e.description, In: e.input, Out: e.output, Streaming: e.streaming}.Stub()
	return err
}

func (r *Registry) insert(e *Entry) error {
	if first, taken := r.entries[e.name]; taken {
		return fault.New(fault.Invalid, "there is already a tool of this name, from %s", first.origin)
	}
	spelling := e.spelling()
	if first, taken := r.spelled[spelling]; taken {
		return fault.New(fault.Invalid, "a program would spell it tools.%s, as it does the tool %q from %s",
			spelling, first.name, first.origin).WithRemedy("rename one of them")
	}
	if len(r.entries) >= MaxTools {
		return fault.New(fault.Invalid, "a registry holds at most %d tools", MaxTools)
	}
	if err := e.choosePolicy(r.choose); err != nil {
		return err
	}
	if r.entries == nil {
		r.entries, r.spelled = map[string]*Entry{}, map[string]*Entry{}
	}
	r.tellChanged()
	r.entries[e.name], r.spelled[spelling] = e, e
	r.view = nil
	return nil
}

func checkName(name string) error {
	switch {
	case name == "":
		return fault.New(fault.Invalid, "a tool needs a name")
	case len(name) > MaxNameBytes:
		return fault.New(fault.Invalid, "the name takes %d bytes; the limit is %d", len(name), MaxNameBytes)
	case !utf8.ValidString(name):
		return fault.New(fault.Invalid, "the name is not UTF-8")
	case strings.ContainsFunc(name, unicode.IsControl):
		return fault.New(fault.Invalid, "the name has a control character")
	}
	return nil
}

// Err gives all errors of registrations, joined; nil if there were none.
func (r *Registry) Err() error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return errors.Join(r.errs...)
}

// keep has Err give an error too.
func (r *Registry) keep(err error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.errs = append(r.errs, err)
	return err
}

// Lookup finds a tool by its registered name.
func (r *Registry) Lookup(name string) (*Entry, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	e, ok := r.entries[name]
	return e, ok
}

// Entries gives all tools and agents, or those of the kinds that are named, sorted by
// name.
func (r *Registry) Entries(kinds ...EntryKind) []*Entry {
	r.mu.RLock()
	defer r.mu.RUnlock()
	entries := slices.DeleteFunc(slices.Collect(maps.Values(r.entries)), func(e *Entry) bool { return !e.ofKinds(kinds) })
	slices.SortFunc(entries, func(a, b *Entry) int { return strings.Compare(a.name, b.name) })
	return entries
}

// origin is the place outside this package from which it was called. Frames are skipped
// by their function's package, because a generic function may appear as several.
func origin() string {
	var callers [16]uintptr
	frames := runtime.CallersFrames(callers[:runtime.Callers(2, callers[:])])
	for {
		frame, more := frames.Next()
		if !strings.HasPrefix(frame.Function, "github.com/codemode-sdk/codemode/registry.") {
			if frame.File == "" {
				return "an unknown place"
			}
			return frame.File + ":" + strconv.Itoa(frame.Line)
		}
		if !more {
			return "an unknown place"
		}
	}
}
