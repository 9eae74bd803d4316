package sidecar

import (
	"path/filepath"

	"golang.org/x/sys/unix"
)

// scratchUse adds up what is below a directory, in bytes and in files, and stops when it
// has seen more files than most.
func scratchUse(path string, most int) (size int64, files int) {
	pending := []string{path}
	for len(pending) > 0 {
		directory := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		fd, err := unix.Open(directory, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if err != nil {
			continue // gone, or hidden: it counted as a file
		}
		for files <= most {
			var entry unix.Stat_t
			names, err := readNames(fd)
			if err != nil || len(names) == 0 {
				break
			}
			for _, name := range names {
				if unix.Fstatat(fd, name, &entry, unix.AT_SYMLINK_NOFOLLOW) != nil {
					continue
				}
				files++
				size += entry.Blocks * 512
				if entry.Mode&unix.S_IFMT == unix.S_IFDIR && len(directory) < unix.PathMax-256 {
					pending = append(pending, filepath.Join(directory, name))
				}
			}
		}
		unix.Close(fd)
		if files > most {
			break
		}
	}
	return size, files
}
