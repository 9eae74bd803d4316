// Package cpython finds a CPython that can run programs: the one linked into the binary,
// one that the configuration names, or python3 from PATH. Whatever is found has been
// started once and asked what it is, so that every reason why it cannot be used is known
// before the first program arrives.
package cpython

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/codemode-sdk/codemode/internal/fault"
)

// Auto is the setting that takes the embedded CPython if the binary has one, else
// python3 from PATH.
const Auto = "auto"

// The oldest CPython that is accepted.
const (
	minMajor = 3
	minMinor = 10
)

// The values of Install.Source.
const (
	SourceEmbedded   = "embedded"   // linked into the binary
	SourceConfigured = "configured" // named by the setting
	SourcePath       = "PATH"       // found by searching PATH
)

// An Install is a CPython that has been started successfully on this machine.
type Install struct {
	// Executable is the absolute path to start the interpreter with. It is an executable
	// proper, never a script. In a virtual environment it is the environment's own
	// link, since CPython finds the environment by that name.
	Executable string
	// Prefix is sys.prefix: the virtual environment if there is one.
	Prefix string
	// BasePrefix is sys.base_prefix: where the standard library lives.
	BasePrefix string
	// Version is major.minor.micro, such as "3.14.6".
	Version string
	// ReadPaths are the directories and files that the interpreter reads while it starts
	// and imports: its own tree or trees, site-packages, the dynamic loader, shared
	// libraries, the time zone database. All are absolute and existed; none lies below
	// another; one may be a symbolic link, such as /lib. Sorted.
	ReadPaths []string
	// Source is SourceEmbedded, SourceConfigured or SourcePath.
	Source string
}

// A Provider makes a CPython that is linked into the binary available as files, below
// cacheDir, or in a place of its own choice if that is empty. It is called once for each
// Find and must be safe for concurrent use.
type Provider func(ctx context.Context, cacheDir string) (*Install, error)

var embedded struct {
	sync.Mutex
	provider Provider
}

// RegisterEmbedded makes a provider the first choice of Auto. It is meant for the init
// function of a package that is imported for this effect, and panics if the provider is
// nil or if there already is one.
func RegisterEmbedded(p Provider) {
	embedded.Lock()
	defer embedded.Unlock()
	if p == nil {
		panic("cpython: RegisterEmbedded with a nil provider")
	}
	if embedded.provider != nil {
		panic("cpython: RegisterEmbedded called twice")
	}
	embedded.provider = p
}

// Find gives the CPython that setting asks for.
//
// Auto, or an empty setting, means the embedded CPython if one is registered; its failure
// is then an error and not a reason to look further, so that a program never runs on an
// interpreter nobody chose. Without one it means the first python3 in PATH that can be
// used. Any other setting is a path to an interpreter, a path to a virtual environment or
// an installation prefix, or a bare command name to look up in PATH.
//
// cacheDir is where an embedded CPython is unpacked; if empty, where its package chooses.
//
// Errors have the code fault.Python, or fault.Cancelled if ctx ended.
func Find(ctx context.Context, setting, cacheDir string) (*Install, error) {
	if setting != "" && setting != Auto {
		return findConfigured(ctx, setting)
	}
	embedded.Lock()
	provider := embedded.provider
	embedded.Unlock()
	if provider == nil {
		return findInPath(ctx)
	}
	install, err := provider(ctx, cacheDir)
	if err != nil {
		return nil, err
	}
	install.Source = SourceEmbedded
	return install, nil
}

func findConfigured(ctx context.Context, setting string) (*Install, error) {
	path, err := interpreterAt(setting)
	if err != nil {
		return nil, err
	}
	install, err := Probe(ctx, path)
	if err != nil {
		return nil, err
	}
	install.Source = SourceConfigured
	return install, nil
}

// interpreterAt turns a setting into the absolute path of a file to start.
func interpreterAt(setting string) (string, error) {
	info, err := os.Stat(setting)
	bare := !strings.ContainsRune(setting, '/') && !strings.ContainsRune(setting, filepath.Separator)
	if bare && (err != nil || !info.IsDir()) {
		// A bare word that is not a directory here is a command, as in a shell: a file
		// of that name in the working directory is not run by accident.
		path, lookErr := exec.LookPath(setting)
		if lookErr != nil {
			return "", fault.Wrap(fault.Python, lookErr, "the Python interpreter %q was not found", setting).
				WithRemedy("executor.python takes auto, a command in PATH, or the path of an interpreter or of a virtual environment")
		}
		return absolute(path)
	}
	if err != nil {
		return "", fault.Wrap(fault.Python, err, "the Python interpreter %q cannot be used", setting).
			WithRemedy("executor.python takes auto, a command in PATH, or the path of an interpreter or of a virtual environment")
	}
	if !info.IsDir() {
		return absolute(setting)
	}
	for _, name := range []string{"bin/python3", "bin/python", "Scripts/python.exe", "python.exe"} {
		path := filepath.Join(setting, filepath.FromSlash(name))
		// A broken link is taken too: the probe then says what is wrong with it.
		if _, err := os.Lstat(path); err == nil {
			return absolute(path)
		}
	}
	return "", fault.New(fault.Python, "the directory %q holds no Python: it has neither bin/python3 nor bin/python", setting).
		WithRemedy("name a virtual environment (python3 -m venv DIR) or an interpreter")
}

func absolute(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", fault.Wrap(fault.Python, err, "the Python interpreter %q cannot be used", path)
	}
	return abs, nil
}

// findInPath tries python3, and then the names that distributions with an old python3
// give to their newer ones.
func findInPath(ctx context.Context) (*Install, error) {
	names := []string{"python3"}
	for minor := 15; minor >= minMinor; minor-- {
		names = append(names, fmt.Sprintf("python%d.%d", minMajor, minor))
	}
	if runtime.GOOS == "windows" {
		names = append(names, "python")
	}
	var firstErr error
	for _, name := range names {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		if path, err = absolute(path); err != nil {
			return nil, err
		}
		install, err := Probe(ctx, path)
		if err == nil {
			install.Source = SourcePath
			return install, nil
		}
		if fault.CodeOf(err) == fault.Cancelled {
			return nil, err
		}
		if firstErr == nil {
			firstErr = err
		}
	}
	remedy := fmt.Sprintf("install Python %d.%d or newer, or name one with executor.python, or link one into the program: "+
		`import _ "github.com/codemode-sdk/codemode/sidecar/embeddedpython"`, minMajor, minMinor)
	if firstErr != nil {
		return nil, fault.Wrap(fault.Python, firstErr, "no Python in PATH can be used").WithRemedy("%s", remedy)
	}
	return nil, fault.New(fault.Python, "there is no python3 in PATH, and no CPython is linked into this program").WithRemedy("%s", remedy)
}
