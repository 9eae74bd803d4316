# tries: as many mappings as the kernel lets a process have
# status: ok|memory_limit|killed|error|timeout
# timeout: 3s
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
n = 0
while n < 200_000:
    at = libc.mmap(None, 8192, (n % 2) * 2 + 1, 0x22, -1, 0)
    if at in (None, 2**64 - 1):
        break
    n += 1
done()
