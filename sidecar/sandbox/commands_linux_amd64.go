package sandbox

import "golang.org/x/sys/unix"

// startingHere are the older spellings of starting.
var startingHere = []uint32{unix.SYS_FORK, unix.SYS_VFORK}

// chmodHere are the older spellings of fchmodat.
var chmodHere = []uint32{unix.SYS_CHMOD}
