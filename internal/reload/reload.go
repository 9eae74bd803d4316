// Package reload holds values that are read from files which may change while the
// process runs: certificates and keys in rotation.
//
// Nothing watches the files. Whoever needs the value looks whether they changed, which
// takes a system call for each file, and what cannot be read keeps the value before it.
package reload

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// maxFile bounds each file, in bytes.
const maxFile = 1 << 20

// settled is the age from which a file's time of change tells two versions of it apart:
// file systems count time in ticks of some milliseconds.
const settled = 100 * time.Millisecond

// A Value is made of the contents of files.
type Value[T any] struct {
	paths  []string
	parse  func(contents [][]byte) (T, error)
	failed func(error)

	mu        sync.Mutex
	current   T
	seen      []os.FileInfo // nil where there was none
	looked    time.Time
	complaint string
}

// New reads the files for the first time. Later, a change that cannot be read or parsed
// is told to failed, once, and the value before it stays.
func New[T any](parse func(contents [][]byte) (T, error), failed func(error), paths ...string) (*Value[T], error) {
	v := &Value[T]{paths: paths, parse: parse, failed: failed}
	err := v.Reload()
	return v, err
}

// Get gives the value, after a look at the files.
func (v *Value[T]) Get() T {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.changed() {
		return v.current
	}
	err := v.load()
	switch {
	case err == nil:
		v.complaint = ""
	case err.Error() != v.complaint:
		v.complaint = err.Error()
		if v.failed != nil {
			v.failed(err)
		}
	}
	return v.current
}

// Reload reads the files whether they changed or not. After an error, the value is the
// one before.
func (v *Value[T]) Reload() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.load()
}

func (v *Value[T]) changed() bool {
	for i, path := range v.paths {
		before := v.seen[i]
		now, err := os.Stat(path)
		if err != nil {
			if before != nil {
				return true
			}
			continue
		}
		if before == nil || !os.SameFile(before, now) || !before.ModTime().Equal(now.ModTime()) ||
			before.Size() != now.Size() || v.looked.Sub(now.ModTime()) < settled {
			return true
		}
	}
	return false
}

func (v *Value[T]) load() error {
	v.looked = time.Now()
	v.seen = make([]os.FileInfo, len(v.paths))
	contents := make([][]byte, len(v.paths))
	for i, path := range v.paths {
		var err error
		if contents[i], v.seen[i], err = read(path); err != nil {
			return err
		}
	}
	value, err := v.parse(contents)
	if err == nil {
		v.current = value
	}
	return err
}

func read(path string) (data []byte, info os.FileInfo, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, info, fmt.Errorf("%s is not a file", path)
	}
	if data, err = io.ReadAll(io.LimitReader(f, maxFile+1)); err != nil {
		return nil, info, err
	}
	if len(data) > maxFile {
		return nil, info, fmt.Errorf("%s is larger than %d bytes", path, maxFile)
	}
	return data, info, nil
}
