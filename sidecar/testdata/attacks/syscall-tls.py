# tries: pull the ground from under the interpreter, and see who else falls
# status: killed|error|timeout
# timeout: 2s
if AMD64:
    syscall(158, 0x1002, 0)  # arch_prctl(ARCH_SET_FS, 0)
ctypes.memset(0, 0, 1)
