//go:build linux && (amd64 || arm64)

package embeddedpython

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// manifestName lies in the root of a tree and lists everything else in it.
const manifestName = "manifest.json"

// manifestLimit bounds how much of a manifest is read; a real one has 200 kB.
const manifestLimit = 16 << 20

// entry describes a file or a directory of a tree.
type entry struct {
	// Path is relative to the tree's root, with slashes.
	Path string `json:"path"`
	// Mode holds the type and the permissions.
	Mode fs.FileMode `json:"mode"`
	// Size, Modified, Changed and SHA256 are of files only. Modified and Changed are in
	// nanoseconds since 1970: of the contents, and of anything about the file, which
	// unlike the former nobody can set at will.
	Size     int64  `json:"size,omitempty"`
	Modified int64  `json:"modified,omitempty"`
	Changed  int64  `json:"changed,omitempty"`
	SHA256   string `json:"sha256,omitempty"`
}

// describe gives the entry of a file without its hash.
func describe(path string, info fs.FileInfo) entry {
	e := entry{Path: filepath.ToSlash(path), Mode: info.Mode()}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && info.Mode().IsRegular() {
		e.Size = info.Size()
		e.Modified = stat.Mtim.Nano()
		e.Changed = stat.Ctim.Nano()
	}
	return e
}

// seal makes a tree read-only and writes its manifest.
func seal(root string) error {
	var entries []entry
	var dirs []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			dirs = append(dirs, path)
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			return fmt.Errorf("%s is neither a file nor a directory", path)
		}
		mode := fs.FileMode(0o444)
		if info.Mode()&0o100 != 0 {
			mode = 0o555
		}
		if err := os.Chmod(path, mode); err != nil {
			return err
		}
		if info, err = os.Lstat(path); err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		e := describe(rel, info)
		if e.SHA256, err = hashFile(path); err != nil {
			return err
		}
		entries = append(entries, e)
		return nil
	})
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		if dir == root {
			continue
		}
		rel, err := filepath.Rel(root, dir)
		if err != nil {
			return err
		}
		entries = append(entries, entry{Path: filepath.ToSlash(rel), Mode: fs.ModeDir | 0o555})
	}
	text, err := json.Marshal(entries)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(root, manifestName), text, 0o444); err != nil {
		return err
	}
	for _, dir := range dirs {
		if err := os.Chmod(dir, 0o555); err != nil {
			return err
		}
	}
	return nil
}

// verify says what is wrong with a tree, or nil. Every file must be the one that was
// sealed, by its size, mode and times; one whose times differ, as after copying the tree
// into an image, must have the same contents. The interpreter's contents are always
// compared, and nothing may be there that was not sealed.
func verify(root string) error {
	info, err := os.Lstat(root)
	if err != nil {
		return err
	}
	if !info.IsDir() || !trustedOwner(info) || info.Mode().Perm()&0o222 != 0 {
		return fmt.Errorf("%s has the mode %s or the owner of something else", root, info.Mode())
	}
	sealed, err := readManifest(filepath.Join(root, manifestName))
	if err != nil {
		return err
	}
	want, ok := sealed[interpreterName]
	if !ok {
		return errors.New("the manifest lists no interpreter")
	}
	// The longest part, and there is a second core more often than not.
	hashed := make(chan error, 1)
	go func() { hashed <- compareContents(interpreter(root), want) }()
	walkErr := compareTree(root, sealed)
	return errors.Join(walkErr, <-hashed)
}

func compareTree(root string, sealed map[string]entry) error {
	seen := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		rel := filepath.ToSlash(path[len(root)+1:])
		info, err := d.Info()
		if err != nil {
			return err
		}
		if !trustedOwner(info) {
			return fmt.Errorf("%s belongs to another user", rel)
		}
		if rel == manifestName {
			return nil
		}
		want, ok := sealed[rel]
		if !ok {
			return fmt.Errorf("%s was added", rel)
		}
		seen++
		got := describe(rel, info)
		if got.Mode != want.Mode || got.Size != want.Size {
			return fmt.Errorf("%s has the mode %s and the size %d, and had %s and %d", rel, got.Mode, got.Size, want.Mode, want.Size)
		}
		if got.Modified != want.Modified || got.Changed != want.Changed {
			return compareContents(path, want)
		}
		return nil
	})
	if err == nil && seen != len(sealed) {
		err = fmt.Errorf("%d files are missing", len(sealed)-seen)
	}
	return err
}

func compareContents(path string, want entry) error {
	sum, err := hashFile(path)
	if err == nil && sum != want.SHA256 {
		err = fmt.Errorf("the contents of %s have changed", want.Path)
	}
	return err
}

func readManifest(path string) (map[string]entry, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || !trustedOwner(info) || info.Mode().Perm()&0o222 != 0 {
		return nil, fmt.Errorf("the manifest has the mode %s or the owner of something else", info.Mode())
	}
	if info.Size() > manifestLimit {
		return nil, fmt.Errorf("the manifest has %d bytes", info.Size())
	}
	text, err := io.ReadAll(io.LimitReader(f, manifestLimit))
	if err != nil {
		return nil, err
	}
	var entries []entry
	if err := json.Unmarshal(text, &entries); err != nil {
		return nil, fmt.Errorf("the manifest cannot be read: %w", err)
	}
	sealed := make(map[string]entry, len(entries))
	for _, e := range entries {
		sealed[e.Path] = e
	}
	return sealed, nil
}

// hashFile gives the SHA-256 of a file's contents in hexadecimal digits.
func hashFile(path string) (string, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.CopyBuffer(h, struct{ io.Reader }{f}, make([]byte, 256<<10)); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
