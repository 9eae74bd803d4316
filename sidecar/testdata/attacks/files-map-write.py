# tries: write to a library's pages, which all runs have in common
# status: ok
import mmap
for path in (os.__file__, sys.executable, ctypes.__file__):
    if not os.access(path, os.R_OK):
        continue
    fd = os.open(path, os.O_RDONLY)
    fails('shared and writable', mmap.mmap, fd, 4096, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
    at = libc.mmap(None, 4096, mmap.PROT_READ, mmap.MAP_SHARED, fd, 0)
    if libc.mprotect(ctypes.c_void_p(at), 4096, 3) == 0:
        escaped(f'{path} made writable')
    libc.madvise(ctypes.c_void_p(at), 4096, 9)   # MADV_REMOVE
    libc.madvise(ctypes.c_void_p(at), 4096, 21)  # MADV_PAGEOUT
    for call in (os.ftruncate, os.posix_fallocate):
        fails(str(call), call, fd, *((0,) if call is os.ftruncate else (0, 10)))
    fails('write', os.write, fd, b'x')
    fails('reopen', os.open, path, os.O_RDWR)
    fails('truncate', os.truncate, path, 0)
    fails('append', open, path, 'ab')
done()
