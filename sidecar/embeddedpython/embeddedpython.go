// Package embeddedpython links a whole CPython into the program, so that the embedded
// executor works on a machine where no Python is installed. It is imported for that
// effect alone:
//
//	import _ "github.com/codemode-sdk/codemode/sidecar/embeddedpython"
//
// With it, the Python setting "auto" means this CPython. The binary grows by about 40 MB.
//
// # The cache
//
// At the first use the interpreter is unpacked (a few seconds, about 150 MB while it
// lasts and 60 MB afterwards) into a directory of its own: $CODEMODE_CACHE_DIR if that is
// set, else /var/cache/codemode for root, else codemode in the user's cache directory.
// Later uses verify what they find there and unpack anew what was damaged or changed, so
// the directory may be deleted at any time at which nothing runs. Versions lie side by
// side. The directory must belong to the user or to root, and nobody else may be able to
// write to it; a directory that is made for root can be read by everyone, since programs
// run as a user without privileges.
//
// To use it on a read-only file system, as in a container, unpack it while the image is
// built: any program that starts an executor does.
//
// # Where it works
//
// On Linux with the GNU C library, on amd64 and arm64. Elsewhere the import compiles and
// costs nothing, and "auto" is an error that says what to do.
package embeddedpython

import "github.com/codemode-sdk/codemode/internal/cpython"

func init() { cpython.RegisterEmbedded(provide) }
