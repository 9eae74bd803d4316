//go:build linux && (amd64 || arm64)

package embeddedpython

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/codemode-sdk/codemode/internal/cpython"
	"github.com/codemode-sdk/codemode/internal/fault"
)

// sourceModule carries the CPython that is unpacked.
const sourceModule = "github.com/kluctl/go-embed-python"

// testedVersion is the version of sourceModule that go.mod requires; see sourceKey.
const testedVersion = "v0.0.0-3.14.6-20260610-1"

// layout is the version of what this package makes of the module's files; it changes
// when the rules in prune.go or the manifest do.
const layout = "1"

// provide is the cpython.Provider. Cancelling takes effect while it waits for another
// process and between the steps of unpacking.
func provide(ctx context.Context, cacheDir string) (*cpython.Install, error) {
	dir, err := openCacheDir(cacheDir)
	if err != nil {
		return nil, err
	}
	name, err := treeName()
	if err != nil {
		return nil, err
	}
	root := filepath.Join(dir, name)
	// A tree appears by a rename, complete or not at all, so that looking at it needs no
	// lock and a read-only cache works.
	if damage := verify(root); damage != nil {
		if err := unpack(ctx, dir, root, damage); err != nil {
			return nil, err
		}
	}
	return cpython.Probe(ctx, interpreter(root))
}

func interpreter(root string) string { return filepath.Join(root, filepath.FromSlash(interpreterName)) }

var pythonVersion = regexp.MustCompile(`^v\d+\.\d+\.\d+-(\d+\.\d+\.\d+)-`)

// treeName names the directory after everything that its contents depend on.
func treeName() (string, error) {
	version, key, err := sourceKey()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(key + "\n" + layout + "\n" + runtime.GOOS + "/" + runtime.GOARCH))
	return "python-" + version + "-" + hex.EncodeToString(sum[:8]), nil
}

// sourceKey gives the version of CPython, or "unknown", and a text that is different for
// different versions of the source module.
func sourceKey() (version, key string, err error) {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, dep := range info.Deps {
			if dep.Path != sourceModule {
				continue
			}
			if dep.Replace != nil {
				dep = dep.Replace
			}
			if m := pythonVersion.FindStringSubmatch(dep.Version); m != nil {
				return m[1], dep.Path + "@" + dep.Version, nil
			}
		}
		if len(info.Deps) == 0 && strings.HasSuffix(info.Path, ".test") {
			// The go command leaves the dependencies of test binaries out. To be exact
			// about them would be to unpack once for each test of each package.
			return pythonVersion.FindStringSubmatch(testedVersion)[1], "tests of " + sourceModule + "@" + testedVersion, nil
		}
	}
	// Built without module information, or with the module replaced by a directory: the
	// program's own file identifies what is linked into it.
	path, err := os.Executable()
	if err == nil {
		var sum string
		if sum, err = hashFile(path); err == nil {
			return "unknown", sum, nil
		}
	}
	return "", "", fault.Wrap(fault.Python, err, "which CPython is linked into this program cannot be told").
		WithRemedy("name an interpreter with executor.python")
}
