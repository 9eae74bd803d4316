package docker

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/codemode-sdk/codemode/internal/fault"
)

// unprivileged is the user, and where nobody shares its socket the group, that the
// executor has in its container.
const unprivileged = 65534

// maxSocket is what the kernel takes for the path of a unix socket.
const maxSocket = 107

// A directory is what a container shares with its user: below one that nobody else can
// enter, the executor's socket and its files.
type directory struct {
	run, files string
	socket     string
	group      int // of the executor in the container, which may use run
}

func directoryPath(name string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fault.Wrap(fault.Config, err, "there is no place for the container's socket").WithRemedy("set HOME")
	}
	return filepath.Join(cache, "codemode", "docker", name), nil
}

func makeDirectory(name string, rootless bool, files []File) (directory, error) {
	own, err := directoryPath(name)
	if err != nil {
		return directory{}, err
	}
	d := directory{run: filepath.Join(own, "run"), files: filepath.Join(own, "etc"), group: os.Getgid()}
	d.socket = filepath.Join(d.run, "executor.sock")
	if len(d.socket) > maxSocket {
		return directory{}, fault.New(fault.Config, "the path of the socket, %s, is longer than the %d bytes that the kernel takes", d.socket, maxSocket).
			WithRemedy("set XDG_CACHE_HOME to a shorter directory, or use --port")
	}
	for _, step := range []func() error{
		func() error { return os.RemoveAll(own) },
		func() error { return os.MkdirAll(filepath.Dir(own), 0o755) },
		func() error { return os.Mkdir(own, 0o700) },
		func() error { return os.Mkdir(d.run, 0o700) },
		func() error { return os.Mkdir(d.files, 0o755) },
		func() error { return os.Chmod(d.files, 0o755) }, // whatever the umask is
		func() error { return os.Chmod(d.run, 0o770) },
		func() error {
			// The user in the container is another, and nobody else gets as far as here.
			for _, file := range files {
				path := filepath.Join(d.files, file.Name)
				if err := errors.Join(os.WriteFile(path, file.Data, 0o644), os.Chmod(path, 0o644)); err != nil {
					return err
				}
			}
			return nil
		},
		func() error {
			switch {
			case rootless: // this user is root there
				d.group = 0
			case os.Getuid() == 0:
				d.group = unprivileged
				return os.Chown(d.run, unprivileged, unprivileged)
			}
			return nil
		},
	} {
		if err := step(); err != nil {
			return directory{}, fault.Wrap(fault.Config, err, "the directory of the container's socket cannot be made")
		}
	}
	return d, nil
}

func removeDirectory(name string) error {
	own, err := directoryPath(name)
	if err == nil {
		err = os.RemoveAll(own)
	}
	if err != nil {
		return fault.Wrap(fault.Config, err, "the directory of the container's socket cannot be removed")
	}
	return nil
}
