package docker

import (
	"debug/elf"
	"errors"
	"io"
	"os"
	"runtime"

	"github.com/codemode-sdk/codemode/internal/fault"
)

// Executable gives the codemode to put into an image: the file that is named, else this
// very process's. It must run in any Linux image of the architecture: a Linux binary that
// needs no libraries.
func Executable(named, arch string) (string, error) {
	path := named
	if path == "" {
		own, err := os.Executable()
		if err != nil {
			return "", fault.Wrap(fault.Internal, err, "which file this codemode runs from cannot be told").
				WithRemedy("name a codemode for Linux with --binary")
		}
		path = own
	}
	unfit := func(format string, args ...any) error {
		return fault.New(fault.Config, format, args...).WithRemedy(
			"make one with GOBIN= CGO_ENABLED=0 GOOS=linux GOARCH=%s go build -o codemode-linux github.com/codemode-sdk/codemode/cmd/codemode, and add --binary codemode-linux", arch)
	}
	if named == "" && runtime.GOOS != "linux" {
		return "", unfit("this codemode is one for %s, and the container needs one for Linux", runtime.GOOS)
	}
	file, err := elf.Open(path)
	if err != nil {
		if _, ok := errors.AsType[*elf.FormatError](err); ok || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return "", unfit("%s is no Linux binary: %v", path, err)
		}
		return "", fault.Wrap(fault.Config, err, "the codemode for the image cannot be read").WithRemedy("check --binary")
	}
	defer file.Close()
	machine := map[elf.Machine]string{elf.EM_X86_64: "amd64", elf.EM_AARCH64: "arm64"}[file.Machine]
	if machine != arch {
		return "", unfit("%s is for the processor %s, and the Docker engine runs on %s", path, file.Machine, arch)
	}
	for _, segment := range file.Progs {
		if segment.Type == elf.PT_INTERP {
			return "", unfit("%s needs the C library of this machine, which the image may not have", path)
		}
	}
	return path, nil
}
