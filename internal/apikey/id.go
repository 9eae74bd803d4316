package apikey

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"sync"
)

// KeyID gives the name by which records tell one key from another: eight hex digits, the
// same wherever the key is used. They are derived slowly, so that whoever reads a log
// cannot try out many guesses at a weak key.
func KeyID(key string) string {
	const rounds = 50_000
	digest, err := pbkdf2.Key(sha256.New, key, []byte("codemode key id"), rounds, 4)
	if err != nil { // only for lengths that nobody could ask for
		return "unknown"
	}
	return hex.EncodeToString(digest)
}

// Digest tells the key in the values of Header, which Admit must have accepted, from every
// other, also those of callers who would look for one with the same ID. It is not to be
// written anywhere.
func Digest(header []string) [sha256.Size]byte {
	_, key, _ := strings.Cut(header[0], " ")
	return sha256.Sum256([]byte(key))
}

// ids holds what KeyID gave, by the digest of the key. Only keys that admitted somebody
// are in it.
var ids sync.Map

// ID gives the KeyID of the key in the values of Header, which Admit must have accepted:
// the first time is slow.
func ID(header []string) string {
	_, key, _ := strings.Cut(header[0], " ")
	digest := Digest(header)
	if id, known := ids.Load(digest); known {
		return id.(string)
	}
	id := KeyID(key)
	ids.Store(digest, id)
	return id
}
