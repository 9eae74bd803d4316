package sandbox

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Landlock rights by the ABI version that brought them; see linux/landlock.h.
var landlockRights = []struct {
	abi                    int
	files, network, scopes uint64
}{
	{1, unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE |
		unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR |
		unix.LANDLOCK_ACCESS_FS_REMOVE_DIR | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE |
		unix.LANDLOCK_ACCESS_FS_MAKE_CHAR | unix.LANDLOCK_ACCESS_FS_MAKE_DIR |
		unix.LANDLOCK_ACCESS_FS_MAKE_REG | unix.LANDLOCK_ACCESS_FS_MAKE_SOCK |
		unix.LANDLOCK_ACCESS_FS_MAKE_FIFO | unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK |
		unix.LANDLOCK_ACCESS_FS_MAKE_SYM, 0, 0},
	{2, unix.LANDLOCK_ACCESS_FS_REFER, 0, 0},
	{3, unix.LANDLOCK_ACCESS_FS_TRUNCATE, 0, 0},
	{4, 0, unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP, 0},
	{5, unix.LANDLOCK_ACCESS_FS_IOCTL_DEV, 0, 0},
	{6, 0, 0, unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | unix.LANDLOCK_SCOPE_SIGNAL},
}

const (
	readTree = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR
	readFile = unix.LANDLOCK_ACCESS_FS_READ_FILE
	// What makes no sense on a program's own directory: running files, device nodes.
	neverOnScratch = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_MAKE_CHAR |
		unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK | unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
)

// landlock is the part of the plan that a worker turns into a ruleset.
type landlock struct {
	HandledFS     uint64       `json:"handled_fs"`
	HandledNet    uint64       `json:"handled_net"`
	Scoped        uint64       `json:"scoped"`
	Size          int          `json:"size"` // of struct landlock_ruleset_attr, in bytes
	ScratchAccess uint64       `json:"scratch_access"`
	Rules         []pathAccess `json:"rules"`
}

// landlockABI gives the version the kernel speaks, or why there is none.
func landlockABI() (int, error) {
	abi, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	switch errno {
	case 0:
		return int(abi), nil
	case unix.ENOSYS:
		return 0, errors.New("the kernel has no Landlock (Linux 5.13 or newer), or a filter hides it")
	case unix.EOPNOTSUPP:
		return 0, errors.New("not among the kernel's active security modules (lsm= on its command line)")
	default:
		return 0, fmt.Errorf("landlock_create_ruleset: %w", errno)
	}
}

func newLandlock(abi int) *landlock {
	l := &landlock{}
	for _, right := range landlockRights {
		if abi >= right.abi {
			l.HandledFS |= right.files
			l.HandledNet |= right.network
			l.Scoped |= right.scopes
		}
	}
	switch {
	case abi >= 6:
		l.Size = 24
	case abi >= 4:
		l.Size = 16
	default:
		l.Size = 8
	}
	l.ScratchAccess = l.HandledFS &^ neverOnScratch
	return l
}

func (l *landlock) allow(path string, access uint64) {
	l.Rules = append(l.Rules, pathAccess{path, access & l.HandledFS})
}

func (l *landlock) describe(abi int) string {
	covers := "files"
	if l.HandledNet != 0 {
		covers += ", TCP"
	}
	if l.Scoped != 0 {
		covers += ", signals, abstract sockets"
	}
	return fmt.Sprintf("ABI %d: %s", abi, covers)
}
