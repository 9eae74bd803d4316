package sidecar

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/codemode-sdk/codemode/config"
	"github.com/codemode-sdk/codemode/sidecar/sandbox"
)

// directories are what a worker has of its own on the executor's file system; both are
// empty where it has mounts of its own.
type directories struct{ scratch, outputs string }

func filesOf(cfg config.SidecarConfig) sandbox.Files {
	f := cfg.Filesystem
	files := sandbox.Files{
		Workspace: sandbox.Directory{Path: f.Workspace.Mount, Source: f.Workspace.Source, Readonly: f.Workspace.Readonly},
		Scratch:   sandbox.Directory{Path: f.Sandbox.Mount, Readonly: f.Sandbox.Readonly},
		Outputs:   sandbox.Directory{Path: f.Outputs.Mount, Readonly: f.Outputs.Readonly},
		// A file takes whole pages.
		OutputsBytes: cfg.Limits.ArtifactsSize + int64(cfg.Limits.ArtifactFiles)*int64(os.Getpagesize()),
		OutputsFiles: int64(max(cfg.Limits.ScratchFiles, 2*cfg.Limits.ArtifactFiles)),
	}
	if files.Workspace.Source == "" {
		files.Workspace.Source = files.Workspace.Path
	}
	return files
}

// makeDirectories makes what a worker of the plan needs; base is where scratch
// directories are if the plan does not say.
func makeDirectories(plan *sandbox.Plan, base string) (own directories, err error) {
	if plan.Scratch != "" {
		return own, nil
	}
	if plan.ScratchBase != "" {
		base = plan.ScratchBase
	}
	if own.scratch, err = makeDirectory(base); err != nil {
		return own, err
	}
	if plan.OutputsBase != "" {
		if own.outputs, err = makeDirectory(plan.OutputsBase); err != nil {
			return own, errors.Join(err, own.remove())
		}
	}
	return own, nil
}

func makeDirectory(base string) (string, error) {
	directory, err := os.MkdirTemp(base, "w")
	if err != nil {
		return "", err
	}
	if os.Geteuid() == 0 {
		if err := os.Chown(directory, sandbox.UnprivilegedID, sandbox.UnprivilegedID); err != nil {
			return "", errors.Join(err, os.Remove(directory))
		}
	}
	return directory, nil
}

// remove takes the directories away, with whatever a program has put there.
func (d directories) remove() error {
	var errs []error
	for _, directory := range []string{d.scratch, d.outputs} {
		if directory != "" {
			errs = append(errs, removeTree(directory))
		}
	}
	return errors.Join(errs...)
}

// removeTree removes a directory that a program could write to, as os.RemoveAll does,
// but for two things that a program can do to that: directories that their owner may not
// read, and directories a hundred thousand deep. It follows no links. Nothing else may
// change the directory any more.
func removeTree(path string) error {
	top, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return &fs.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(top)
	t := &tree{top: top}
	// What is found below the top moves up to it, to be emptied in its turn.
	for {
		names, err := namesIn(top)
		if err != nil {
			return &fs.PathError{Op: "read", Path: path, Err: err}
		}
		if len(names) == 0 {
			break
		}
		for _, name := range names {
			if err := t.clear(name); err != nil {
				return &fs.PathError{Op: "remove", Path: path, Err: err}
			}
		}
	}
	return os.Remove(path)
}

type tree struct {
	top   int
	moved int
}

// clear removes an entry of the top directory, once what is in it has moved out of it.
func (t *tree) clear(name string) error {
	err := unix.Unlinkat(t.top, name, 0)
	if err == nil || errors.Is(err, unix.ENOENT) {
		return nil
	}
	if !errors.Is(err, unix.EISDIR) && !errors.Is(err, unix.EPERM) {
		return err
	}
	directory, err := openOwned(t.top, name)
	if err != nil {
		return err
	}
	defer unix.Close(directory)
	for {
		names, err := namesIn(directory)
		if err != nil {
			return err
		}
		if len(names) == 0 {
			return unix.Unlinkat(t.top, name, unix.AT_REMOVEDIR)
		}
		for _, inner := range names {
			if unix.Unlinkat(directory, inner, 0) == nil {
				continue
			}
			// To move a directory is to write to it.
			moving, err := openOwned(directory, inner)
			if err != nil {
				return err
			}
			unix.Close(moving)
			t.moved++
			err = unix.Renameat(directory, inner, t.top, fmt.Sprintf("\n%d", t.moved))
			if err != nil && !errors.Is(err, unix.EEXIST) && !errors.Is(err, unix.ENOTEMPTY) && !errors.Is(err, unix.ENOTDIR) {
				return err
			} // else the name is taken, and the next round tries another
		}
	}
}

// openOwned opens a directory for reading, and gives its owner all rights to it first.
func openOwned(parent int, name string) (int, error) {
	handle, err := unix.Openat(parent, name, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	defer unix.Close(handle)
	self := "/proc/self/fd/" + strconv.Itoa(handle)
	if err := unix.Chmod(self, 0o700); err != nil {
		return -1, err
	}
	return unix.Open(self, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
}

// namesIn lists some of what is in a directory, from its beginning; nothing if it is empty.
func namesIn(directory int) ([]string, error) {
	if _, err := unix.Seek(directory, 0, 0); err != nil {
		return nil, err
	}
	return readNames(directory)
}

// readNames lists what comes next in a directory, as the kernel has it: any bytes.
func readNames(directory int) ([]string, error) {
	var buffer [16 << 10]byte
	for {
		n, err := unix.Getdents(directory, buffer[:])
		if err == unix.EINTR {
			continue
		}
		if err != nil || n <= 0 {
			return nil, err
		}
		if _, _, names := unix.ParseDirent(buffer[:n], -1, nil); len(names) > 0 {
			return names, nil
		}
	}
}
