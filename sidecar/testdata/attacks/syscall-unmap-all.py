# tries: unmap all that there is, the system call that does it included
# status: killed|error
# timeout: 2s
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
libc.munmap(4096, (1 << 46) - 4096)
print('ESCAPED: still here')
