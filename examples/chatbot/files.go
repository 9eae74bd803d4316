package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/codemode-sdk/codemode/registry"
)

const (
	maxFile  = 256 << 10 // bytes of a file that is read or written
	maxFiles = 500       // in the workspace
)

// A workspace is a directory for files. An os.Root holds every path to it, links included.
type workspace struct{ root *os.Root }

// welcome is in a new workspace. It has markup in it, so that one can see what the page
// makes of that: text.
const welcome = `Files that programs write are in this directory. measurements.csv is sample data.
This line is text, and not a script: <script>document.title = "taken over"</script>
`

func openWorkspace(dir string) (*workspace, error) {
	dir = filepath.Join(dir, "workspace")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	for name, text := range map[string]string{"welcome.txt": welcome, "measurements.csv": measurements()} {
		if _, err := root.Lstat(name); errors.Is(err, fs.ErrNotExist) {
			if err := root.WriteFile(name, []byte(text), 0o600); err != nil {
				return nil, errors.Join(err, root.Close())
			}
		}
	}
	return &workspace{root}, nil
}

type path struct {
	Path string `json:"path" jsonschema:"description=relative to the workspace"`
}

type content struct {
	Path string `json:"path" jsonschema:"description=relative to the workspace"`
	Text string `json:"text"`
}

type file struct {
	Path  string `json:"path"`
	Bytes int64  `json:"bytes"`
}

func (w *workspace) addTools(reg *registry.Registry) error {
	read := registry.Policy{ReadOnly: true}
	return errors.Join(
		registry.Func(reg, "files.list", "Lists all files of the workspace.", w.list, read),
		registry.Func(reg, "files.read", "Gives the text of a file of the workspace.", w.read, read),
		// One at a time, so that the count of files holds.
		registry.Func(reg, "files.write", "Writes a text to a file of the workspace, in place of what it held.", w.write, registry.Policy{Concurrency: 1}),
	)
}

func (w *workspace) list(ctx context.Context, _ struct{}) ([]file, error) {
	files := []file{}
	err := fs.WalkDir(w.root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return errors.Join(err, ctx.Err())
		}
		info, err := entry.Info()
		if err == nil && len(files) < maxFiles {
			files = append(files, file{name, info.Size()})
		}
		return err
	})
	return files, err
}

func (w *workspace) read(_ context.Context, in path) (string, error) {
	opened, err := w.root.Open(filepath.FromSlash(in.Path))
	if err != nil {
		return "", problem(err)
	}
	defer opened.Close()
	data, err := io.ReadAll(io.LimitReader(opened, maxFile+1))
	switch {
	case err != nil:
		return "", problem(err)
	case len(data) > maxFile:
		return "", fmt.Errorf("%s has more than %d bytes", in.Path, maxFile)
	case !utf8.Valid(data):
		return "", fmt.Errorf("%s is not text", in.Path)
	}
	return string(data), nil
}

func (w *workspace) write(ctx context.Context, in content) (file, error) {
	if len(in.Text) > maxFile {
		return file{}, fmt.Errorf("the text has more than %d bytes", maxFile)
	}
	name := filepath.Clean(filepath.FromSlash(in.Path))
	if _, err := w.root.Stat(name); errors.Is(err, fs.ErrNotExist) {
		files, err := w.list(ctx, struct{}{})
		if err == nil && len(files) >= maxFiles {
			err = fmt.Errorf("the workspace has %d files, and holds no more", maxFiles)
		}
		if err != nil {
			return file{}, problem(err)
		}
	}
	if err := w.root.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return file{}, problem(err)
	}
	if err := w.root.WriteFile(name, []byte(in.Text), 0o600); err != nil {
		return file{}, problem(err)
	}
	return file{filepath.ToSlash(name), int64(len(in.Text))}, nil
}

// problem leaves out where on this machine the workspace is.
func problem(err error) error {
	if failed, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("%s: %w", strings.TrimPrefix(failed.Path, string(filepath.Separator)), failed.Err)
	}
	return err
}
