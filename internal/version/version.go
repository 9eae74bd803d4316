// Package version knows the version of the module.
package version

import "runtime/debug"

const module = "github.com/codemode-sdk/codemode"

// String gives the version of this module in the running program, such as "v1.2.3", or
// "devel" where the build does not know it.
func String() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "devel"
	}
	if info.Main.Path == module {
		return orDevel(info.Main.Version)
	}
	for _, dependency := range info.Deps {
		if dependency.Path == module {
			return orDevel(dependency.Version)
		}
	}
	return "devel"
}

func orDevel(version string) string {
	if version == "" || version == "(devel)" {
		return "devel"
	}
	return version
}
