package registry

import (
	"slices"
	"sync"

	"github.com/codemode-sdk/codemode/internal/fault"
)

// A provision is what one call of Provide leaves.
type provision struct {
	register func(*Registry) error
	origin   string
}

var provided struct {
	sync.Mutex
	all []*provision
}

// Provide makes a package's tools available to every application that imports it, if
// only with a blank import, and asks for them with Registry.Discover. It is for init
// functions:
//
//	func init() {
//		registry.Provide(func(reg *registry.Registry) error {
//			return registry.Func(reg, "weather.today", "Looks up the weather.", lookUp)
//		})
//	}
//
// register is called once for each Registry that asks, not by Provide. A nil one panics.
func Provide(register func(*Registry) error) {
	if register == nil {
		panic("registry: Provide is called with nil")
	}
	provided.Lock()
	defer provided.Unlock()
	provided.all = append(provided.all, &provision{register, origin()})
}

// Discover registers what the packages of this program have provided, in the order in
// which they were initialised, and once: a later call registers what is new since. An
// error names the Provide that it comes from; Err keeps it as well. What is provided must
// not call Discover.
func (r *Registry) Discover() error {
	provided.Lock()
	all := slices.Clone(provided.all)
	provided.Unlock()
	r.discovering.Lock()
	defer r.discovering.Unlock()
	for _, p := range all {
		if slices.Contains(r.discovered, p) {
			continue
		}
		r.discovered = append(r.discovered, p)
		if err := p.register(r); err != nil {
			err = fault.Wrap(fault.Invalid, err, "cannot register the tools provided at %s", p.origin)
			return r.keep(err)
		}
	}
	return nil
}
