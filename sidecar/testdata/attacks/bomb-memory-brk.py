# tries: move the end of the heap without end
# status: ok
# memory: 64
libc.sbrk.restype = ctypes.c_void_p
libc.sbrk.argtypes = [ctypes.c_long]
taken = 0
while taken < 4 << 30:
    start = libc.sbrk(1 << 22)
    if start in (None, ctypes.c_void_p(-1).value):
        break
    ctypes.memset(start, 1, 1 << 22)
    taken += 1 << 22
else:
    escaped(f'{taken} bytes')
done()
