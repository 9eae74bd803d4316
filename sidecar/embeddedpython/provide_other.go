//go:build !linux || !(amd64 || arm64)

package embeddedpython

import (
	"context"
	"runtime"

	"github.com/codemode-sdk/codemode/internal/cpython"
	"github.com/codemode-sdk/codemode/internal/fault"
)

func provide(context.Context, string) (*cpython.Install, error) {
	err := fault.New(fault.Python, "there is no embedded CPython for %s/%s", runtime.GOOS, runtime.GOARCH)
	if runtime.GOOS != "linux" {
		return nil, err.WithRemedy("programs run on Linux: start the executor in a container and name it with CODEMODE_EXECUTOR_URL")
	}
	return nil, err.WithRemedy("install Python 3.10 or newer and name it with executor.python")
}
