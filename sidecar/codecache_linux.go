package sidecar

import (
	"container/list"
	"crypto/sha256"
	"encoding/binary"
	"sync"
)

// Bounds on what is kept of compiled programs.
const (
	codeLimit   = 256 << 10 // bytes of one; _MAX_CODE in runner/worker.py
	codesLimit  = 32 << 20  // bytes of all
	codesNumber = 4096      // sources that are remembered, compiled or not
)

// A codeCache keeps what programs compile to, so that one that comes again is neither
// parsed nor checked again.
//
// A fresh worker compiles, and sends the code before anything of the program has run;
// later it would not be believed. Keys hold the caller, the tools and the source, so that
// nobody runs, or can tell from its speed, what another's program became.
type codeCache struct {
	mu    sync.Mutex
	known map[codeKey]*list.Element
	order list.List // of *codeEntry, the last used first
	bytes int
}

type codeKey [sha256.Size]byte

type codeEntry struct {
	key  codeKey
	code []byte // nil if the source has been seen and no more
}

func keyOf(from caller, source string, tools []byte) codeKey {
	hash := sha256.New()
	for _, part := range [][]byte{from.key[:], from.certificate[:], []byte(source), tools} {
		hash.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(part))))
		hash.Write(part)
	}
	return codeKey(hash.Sum(nil))
}

// get gives the code of a program, if there is any, and whether it is worth keeping: it
// is from the second time on, as most programs never come twice.
func (c *codeCache) get(key codeKey) (code []byte, keep bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if element, seen := c.known[key]; seen {
		c.order.MoveToFront(element)
		code = element.Value.(*codeEntry).code
		return code, code == nil
	}
	if c.known == nil {
		c.known = map[codeKey]*list.Element{}
	}
	c.known[key] = c.order.PushFront(&codeEntry{key: key})
	c.shrink()
	return nil, false
}

func (c *codeCache) put(key codeKey, code []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	element, seen := c.known[key]
	if !seen || len(code) == 0 || len(code) > codeLimit {
		return
	}
	entry := element.Value.(*codeEntry)
	c.bytes += len(code) - len(entry.code)
	entry.code = code
	c.shrink()
}

// shrink forgets what was used longest ago. The caller holds mu.
func (c *codeCache) shrink() {
	for c.order.Len() > codesNumber || c.bytes > codesLimit {
		entry := c.order.Remove(c.order.Back()).(*codeEntry)
		delete(c.known, entry.key)
		c.bytes -= len(entry.code)
	}
}
