package registry

// Changed gives a channel that is closed when tools next are added, replaced or taken
// out. Whoever follows the tools asks for it before looking at them.
func (r *Registry) Changed() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.changed == nil {
		r.changed = make(chan struct{})
	}
	return r.changed
}

// tellChanged is called with the lock held.
func (r *Registry) tellChanged() {
	if r.changed != nil {
		close(r.changed)
		r.changed = nil
	}
}
