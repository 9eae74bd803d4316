package cpython

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// platformPaths are read by the dynamic loader, the C library and the libraries that
// the standard library is linked with. None of them holds anything private.
var platformPaths = []string{
	"/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64",
	"/etc/ld.so.cache",
	// Debian links BLAS, which numpy loads, through here.
	"/etc/alternatives",
	"/etc/localtime", "/usr/share/zoneinfo",
	// OpenSSL reads its configuration when hashlib is imported, and fails if it may not.
	"/etc/ssl/openssl.cnf", "/etc/pki/tls/openssl.cnf",
	"/etc/crypto-policies", "/usr/share/crypto-policies",
}

// sharedPrefixes are prefixes that hold a whole system and not just a Python: of these
// only the parts that Python names are listed.
var sharedPrefixes = []string{"/", "/usr", "/usr/local"}

// readPaths lists what the interpreter reads; see Install.ReadPaths.
func readPaths(executable string, d *description) []string {
	paths := slices.Clone(platformPaths)
	for _, prefix := range []string{d.Prefix, d.ExecPrefix, d.BasePrefix, d.BaseExecPrefix} {
		if !slices.Contains(sharedPrefixes, filepath.Clean(prefix)) {
			paths = append(paths, prefix)
		}
	}
	paths = append(paths, executable, d.Stdlib)
	if resolved, err := filepath.EvalSymlinks(executable); err == nil {
		paths = append(paths, resolved)
	}
	if loader := programLoader(executable); loader != "" {
		paths = append(paths, loader)
	}
	paths = append(paths, d.Path...)
	for _, file := range d.Mapped {
		// A library's directory rather than the library: what is loaded later, by a
		// module that has not been imported yet, usually lies beside it.
		if strings.HasPrefix(file, "/nix/store/") {
			paths = append(paths, "/nix/store")
		} else if dir := filepath.Dir(file); strings.Contains(filepath.Base(file), ".so") {
			paths = append(paths, dir)
		}
	}
	return existingRoots(paths)
}

// existingRoots sorts paths and drops what does not exist, what is not absolute, the root
// directory, and what lies below another.
func existingRoots(paths []string) []string {
	var cleaned []string
	for _, path := range paths {
		path = filepath.Clean(path)
		if !filepath.IsAbs(path) || filepath.Dir(path) == path {
			continue
		}
		if _, err := os.Stat(path); err == nil {
			cleaned = append(cleaned, path)
		}
	}
	slices.Sort(cleaned)
	cleaned = slices.Compact(cleaned)
	var roots []string
	for _, path := range cleaned {
		below := slices.ContainsFunc(roots, func(root string) bool {
			return strings.HasPrefix(path, root+string(filepath.Separator))
		})
		if !below {
			roots = append(roots, path)
		}
	}
	return roots
}
