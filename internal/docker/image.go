package docker

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/codemode-sdk/codemode/internal/fault"
)

//go:embed Dockerfile
var dockerfile []byte

// Repository is the name of the images that are made here, without a tag.
const Repository = "codemode-executor"

// An Image is an executor's image, to be made. Everything that is in it decides its tag,
// so that one that is there need not be made again.
type Image struct {
	base, binary string
	requirements []byte
	wheels       []string // paths, in order
	// Tag is the image's whole name.
	Tag string
}

// ImageOptions say what is in an image.
type ImageOptions struct {
	// Base is the image to build on; it has a python3. If empty, that of the Dockerfile.
	Base string
	// Packages are requirements as pip takes them, such as numpy>=2.
	Packages []string
	// Requirements is the path of a file of requirements; empty for none.
	Requirements string
	// Wheels is a directory of wheels to install from, in place of a package index; empty
	// for none.
	Wheels string
	// Binary is the path of a codemode for the engine's machine, as Executable gives it.
	Binary string
}

// maxRequirements bounds the requirements, in bytes, and maxWheels the number of wheels.
const (
	maxRequirements = 1 << 20
	maxWheels       = 10_000
)

// NewImage reads what an image will be made from.
func NewImage(o ImageOptions) (*Image, error) {
	if strings.HasPrefix(o.Base, "-") || strings.ContainsFunc(o.Base, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return nil, fault.New(fault.Config, "%q is not the name of an image", o.Base).WithRemedy("name one such as python:3.13-slim")
	}
	i := &Image{base: o.Base, binary: o.Binary}
	if err := i.require(o.Requirements, o.Packages); err != nil {
		return nil, err
	}
	if o.Wheels != "" {
		found, err := filepath.Glob(filepath.Join(escapeGlob(o.Wheels), "*.whl"))
		if err != nil {
			return nil, fault.Wrap(fault.Config, err, "the wheels cannot be listed")
		}
		if len(found) == 0 || len(found) > maxWheels {
			return nil, fault.New(fault.Config, "the directory %s has %d wheels, and it takes from 1 to %d", o.Wheels, len(found), maxWheels).
				WithRemedy("fill it with pip wheel -w %s -r requirements.txt", o.Wheels)
		}
		if len(i.requirements) == 0 {
			return nil, fault.New(fault.Config, "wheels are there, but no package is asked for").
				WithRemedy("name packages with --packages or --requirements")
		}
		i.wheels = found // sorted by Glob
	}
	if err := i.name(); err != nil {
		return nil, err
	}
	return i, nil
}

func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// require joins a file of requirements and single ones.
func (i *Image) require(path string, packages []string) error {
	if path != "" {
		file, err := os.Open(path)
		if err != nil {
			return fault.Wrap(fault.Config, err, "the requirements cannot be read").WithRemedy("check --requirements")
		}
		data, err := io.ReadAll(io.LimitReader(file, maxRequirements+1))
		if err := errors.Join(err, file.Close()); err != nil {
			return fault.Wrap(fault.Config, err, "the requirements cannot be read").WithRemedy("check --requirements")
		}
		if len(data) > maxRequirements {
			return fault.New(fault.Config, "%s has more than %d bytes", path, maxRequirements)
		}
		if i.requirements = data; len(data) > 0 && data[len(data)-1] != '\n' {
			i.requirements = append(i.requirements, '\n')
		}
	}
	for _, name := range packages {
		if name == "" || len(name) > 1000 || name[0] == '-' || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return fault.New(fault.Config, "%.100q is not a package as pip takes it", name).WithRemedy("write a name such as numpy, or a requirement such as numpy>=2")
		}
		i.requirements = append(i.requirements, name+"\n"...)
	}
	return nil
}

// name makes the tag from everything that the image is made from.
func (i *Image) name() error {
	sum := sha256.New()
	fmt.Fprintf(sum, "%q %q ", dockerfile, i.base)
	for member, err := range i.members() {
		if err != nil {
			return err
		}
		fmt.Fprintf(sum, "%q %d ", member.name, member.size)
		if err := member.copyTo(sum); err != nil {
			return err
		}
	}
	i.Tag = Repository + ":" + hex.EncodeToString(sum.Sum(nil))[:12]
	return nil
}

// A member is one file of the build's context.
type member struct {
	name string
	size int64
	mode int64
	data []byte // if path is empty
	path string
}

func (m member) copyTo(w io.Writer) error {
	if m.path == "" {
		_, err := w.Write(m.data)
		return err
	}
	file, err := os.Open(m.path)
	if err != nil {
		return fault.Wrap(fault.Config, err, "the image cannot be made")
	}
	_, err = io.CopyN(w, file, m.size)
	return errors.Join(err, file.Close())
}

// members lists the build's context.
func (i *Image) members() func(yield func(member, error) bool) {
	return func(yield func(member, error) bool) {
		list := []member{
			{name: "Dockerfile", mode: 0o644, data: dockerfile},
			{name: "packages/requirements.txt", mode: 0o644, data: i.requirements},
			{name: "codemode", mode: 0o755, path: i.binary},
		}
		for _, wheel := range i.wheels {
			list = append(list, member{name: "packages/wheels/" + filepath.Base(wheel), mode: 0o644, path: wheel})
		}
		for _, m := range list {
			m.size = int64(len(m.data))
			var err error
			if m.path != "" {
				var info fs.FileInfo
				if info, err = os.Stat(m.path); err == nil {
					m.size = info.Size()
				}
			}
			if !yield(m, err) || err != nil {
				return
			}
		}
	}
}

// Exists says whether the engine has an image.
func Exists(ctx context.Context, image string) (bool, error) {
	_, err := output(ctx, "image", "inspect", "--format", "{{.Id}}", image)
	if err != nil && strings.Contains(err.Error(), "No such image") {
		return false, nil
	}
	return err == nil, err
}

// Build makes the image, with what Docker has to say shown as it comes. The network is
// that of the build, as docker build --network has it; empty for Docker's default. The
// image gets another name as well, unless that is empty.
func (i *Image) Build(ctx context.Context, network, name string, show io.Writer) error {
	args := []string{"build", "--force-rm", "--tag", i.Tag, "--label", roleLabel}
	if name != "" {
		args = append(args, "--tag="+name)
	}
	if i.base != "" {
		args = append(args, "--build-arg", "BASE_IMAGE="+i.base)
	}
	if network != "" {
		args = append(args, "--network="+network)
	}
	read, write := io.Pipe()
	packed := make(chan error, 1)
	go func() {
		err := i.pack(write)
		packed <- errors.Join(err, write.CloseWithError(err))
	}()
	_, err := command{args: append(args, "-"), in: read, show: show}.run(ctx)
	if err != nil {
		err = explainStep(err)
	}
	// The packer ends even where docker did not read to the end.
	if failed := read.Close(); failed != nil && err == nil {
		err = failed
	}
	if failed := <-packed; failed != nil && !errors.Is(failed, io.ErrClosedPipe) {
		return fault.Wrap(fault.Config, failed, "the image's files cannot be packed")
	}
	return err
}

// The exit statuses of the Dockerfile's script, which Docker's builders give in two ways.
var stepFailures = []struct {
	says          []string
	means, remedy string
}{
	{[]string{"non-zero code: 70", "exit code: 70"}, "the base image has no python3",
		"choose a --base with one, such as python:3.13-slim"},
	{[]string{"non-zero code: 71", "exit code: 71"}, "the base image's Python makes no virtual environment with pip",
		"choose a --base with pip and venv, such as python:3.13-slim"},
	{[]string{"non-zero code: 72", "exit code: 72"}, "the packages could not be installed",
		"pip's own words are above; the build must reach a package index (--build-network), or --wheels name a directory of wheels"},
}

func explainStep(err error) error {
	for _, failure := range stepFailures {
		for _, text := range failure.says {
			if strings.Contains(err.Error(), text) {
				return fault.New(fault.Config, "%s", failure.means).WithRemedy("%s", failure.remedy)
			}
		}
	}
	return err
}

// pack writes the build's context. The same files give the same bytes, for Docker's cache.
func (i *Image) pack(w io.Writer) error {
	archive := tar.NewWriter(w)
	for member, err := range i.members() {
		if err != nil {
			return err
		}
		if err := archive.WriteHeader(&tar.Header{Name: member.name, Mode: member.mode, Size: member.size, Format: tar.FormatPAX}); err != nil {
			return err
		}
		if err := member.copyTo(archive); err != nil {
			return err
		}
	}
	return archive.Close()
}

// Packages says how many requirements the image has, for people to read.
func (i *Image) Packages() int {
	lines := slices.Collect(strings.Lines(string(i.requirements)))
	return len(slices.DeleteFunc(lines, func(line string) bool {
		line = strings.TrimSpace(line)
		return line == "" || line[0] == '#'
	}))
}
