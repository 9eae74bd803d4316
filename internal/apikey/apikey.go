// Package apikey knows the keys that admit a caller: several at once, so that they can
// be rotated, some of them from a file that may change.
package apikey

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"

	"github.com/codemode-sdk/codemode/internal/reload"
)

// Header is the gRPC metadata that carries a key, as "Bearer KEY".
const Header = "authorization"

// maxKeys bounds the keys in one file.
const maxKeys = 1000

// Check says why a text cannot be a key. It continues a sentence, and does not show the
// text.
func Check(text string) error {
	switch {
	case text == "":
		return errors.New("is empty")
	case len(text) > 1024:
		return errors.New("is longer than 1024 bytes")
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
		return errors.New("has a character that is not printable ASCII; a space or a line end often comes with a copied key")
	}
	return nil
}

// Parse gives the keys of a file, one in a line. Empty lines and those that begin with #
// do not count.
func Parse(data []byte) ([]string, error) {
	var keys []string
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := Check(line); err != nil {
			return nil, fmt.Errorf("the key in line %d %w", number, err)
		}
		if len(keys) == maxKeys {
			return nil, fmt.Errorf("more than %d keys", maxKeys)
		}
		keys = append(keys, line)
	}
	if len(keys) == 0 {
		return nil, errors.New("no key: write one in a line")
	}
	return keys, nil
}

// File reads the keys of a file, now and whenever it changed; failed is told of a change
// that cannot be used, after which the keys before it stay.
func File(path string, failed func(error)) (*reload.Value[[]string], error) {
	return reload.New(func(contents [][]byte) ([]string, error) {
		keys, err := Parse(contents[0])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		return keys, nil
	}, failed, path)
}

// A Keyring tells the keys that admit a caller from others. It compares digests, so that
// comparing takes the same time for keys of any length.
type Keyring struct {
	digests [][sha256.Size]byte
	file    *reload.Value[[][sha256.Size]byte]
}

// NewKeyring knows the keys of a list, and those of a file unless path is empty.
func NewKeyring(keys []string, path string, failed func(error)) (*Keyring, error) {
	k := &Keyring{digests: digestsOf(keys)}
	if path == "" {
		return k, nil
	}
	var err error
	k.file, err = reload.New(func(contents [][]byte) ([][sha256.Size]byte, error) {
		keys, err := Parse(contents[0])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		return digestsOf(keys), nil
	}, failed, path)
	return k, err
}

func digestsOf(keys []string) [][sha256.Size]byte {
	digests := make([][sha256.Size]byte, len(keys))
	for i, key := range keys {
		digests[i] = sha256.Sum256([]byte(key))
	}
	return digests
}

// Reload reads the file again; without one it does nothing.
func (k *Keyring) Reload() error {
	if k.file == nil {
		return nil
	}
	return k.file.Reload()
}

// Empty says that there is no key, and so that every caller is admitted.
func (k *Keyring) Empty() bool { return len(k.digests) == 0 && k.file == nil }

// Admit says why the values of Header admit nobody. No key is in the error.
func (k *Keyring) Admit(header []string) error {
	if k.Empty() {
		return nil
	}
	if len(header) == 0 {
		return errors.New("no API key: send metadata authorization: Bearer KEY")
	}
	scheme, token, found := strings.Cut(header[0], " ")
	if !found || !strings.EqualFold(scheme, "bearer") {
		return errors.New("metadata authorization must be: Bearer KEY")
	}
	digest := sha256.Sum256([]byte(token))
	match := 0
	compare := func(known [][sha256.Size]byte) {
		for i := range known {
			match |= subtle.ConstantTimeCompare(digest[:], known[i][:])
		}
	}
	compare(k.digests)
	if k.file != nil {
		compare(k.file.Get())
	}
	if match == 0 {
		return errors.New("the API key is not one of this executor's")
	}
	return nil
}
