package sandbox

import "golang.org/x/sys/unix"

const auditArch = unix.AUDIT_ARCH_AARCH64

// harmlessHere are the spellings of harmless calls that amd64 does not share.
var harmlessHere = []uint32{unix.SYS_FSTATAT}

// attributesHere are the older spellings of attributes.
var attributesHere = []uint32{}
