//go:build linux && (amd64 || arm64)

package embeddedpython

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/codemode-sdk/codemode/internal/fault"
)

// cacheVariable overrides where the interpreter is unpacked.
const cacheVariable = "CODEMODE_CACHE_DIR"

// openCacheDir gives the directory that holds the unpacked trees: the asked one, or one of
// its own choice. It exists and nobody but its owner, who is this user or root, can change
// what is in it.
func openCacheDir(asked string) (string, error) {
	dir, mode, err := chooseCacheDir(asked)
	if err != nil {
		return "", err
	}
	info, err := os.Lstat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		info, err = makeCacheDir(dir, mode)
	}
	if err != nil {
		return "", fault.Wrap(fault.Python, err, "the embedded CPython has no place to be unpacked to").
			WithRemedy("set %s to a directory on a writable file system, or unpack it while the container image is built", cacheVariable)
	}
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		return "", refuse(dir, "it is a symbolic link", "set %s to the directory that it leads to", cacheVariable)
	case !info.IsDir():
		return "", refuse(dir, "it is not a directory", "set %s to another place", cacheVariable)
	case !trustedOwner(info):
		return "", refuse(dir, "it belongs to another user", "set %s to a directory of your own", cacheVariable)
	case info.Mode().Perm()&0o022 != 0:
		return "", refuse(dir, "others may write to it", "chmod go-w %s", dir)
	}
	return dir, checkParents(dir)
}

func chooseCacheDir(asked string) (dir string, mode fs.FileMode, err error) {
	mode = 0o700
	if os.Geteuid() == 0 {
		// Programs of a root executor run as a user without privileges, who must be able
		// to read the standard library.
		mode = 0o755
	}
	if dir = asked; dir == "" {
		dir = os.Getenv(cacheVariable)
	}
	if dir != "" {
		if dir, err = filepath.Abs(dir); err != nil {
			return "", 0, fault.Wrap(fault.Python, err, "the cache directory %q cannot be used", dir)
		}
		return dir, mode, nil
	}
	if os.Geteuid() == 0 {
		return "/var/cache/codemode", mode, nil
	}
	if dir, err = os.UserCacheDir(); err != nil {
		return "", 0, fault.Wrap(fault.Python, err, "the embedded CPython has no place to be unpacked to").
			WithRemedy("set %s to a directory of your own", cacheVariable)
	}
	return filepath.Join(dir, "codemode"), mode, nil
}

func makeCacheDir(dir string, mode fs.FileMode) (fs.FileInfo, error) {
	if err := os.MkdirAll(filepath.Dir(dir), mode); err != nil {
		return nil, err
	}
	// Several processes may start together.
	if err := os.Mkdir(dir, 0o700); err == nil {
		if err := os.Chmod(dir, mode); err != nil {
			return nil, err
		}
	} else if !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return os.Lstat(dir)
}

// checkParents refuses a directory that somebody else could put another one in place of.
func checkParents(dir string) error {
	parent, err := filepath.EvalSymlinks(filepath.Dir(dir))
	if err != nil {
		return fault.Wrap(fault.Python, err, "the embedded CPython cannot be kept in %s", dir)
	}
	for {
		info, err := os.Lstat(parent)
		if err != nil {
			return fault.Wrap(fault.Python, err, "the embedded CPython cannot be kept in %s", dir)
		}
		if info.Mode().Perm()&0o002 != 0 && info.Mode()&fs.ModeSticky == 0 {
			return refuse(dir, "everyone may rename what is in "+parent, "chmod o-w %s, or set %s to another place", parent, cacheVariable)
		}
		if parent == filepath.Dir(parent) {
			return nil
		}
		parent = filepath.Dir(parent)
	}
}

// trustedOwner reports whether a file belongs to this user or to root, who could change
// this process as well.
func trustedOwner(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && (stat.Uid == 0 || int(stat.Uid) == os.Geteuid())
}

func refuse(dir, why, remedy string, args ...any) error {
	return fault.New(fault.Python, "the embedded CPython cannot be kept in %s: %s", dir, why).WithRemedy(remedy, args...)
}
