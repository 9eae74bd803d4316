# tries: wake one who waits on a page of the library that both have mapped
# status: ok
import mmap
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
fd = os.open(os.__file__, os.O_RDONLY)
address = libc.mmap(None, 4096, mmap.PROT_READ, mmap.MAP_SHARED, fd, 0)
refused('futex', ctypes.c_void_p(address), 1, 1, 0, 0, 0)
refused('futex', ctypes.c_void_p(address), 10, 1, 0, 0, 0xffffffff)
refused('futex_wake', ctypes.c_void_p(address), 0xffffffff, 1, 2)
done()
