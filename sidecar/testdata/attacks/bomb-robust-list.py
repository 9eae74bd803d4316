# tries: a list of locks for the kernel to walk at the end, that goes round in a circle
# status: ok
head = ctypes.create_string_buffer(24)
at = ctypes.addressof(head)
ctypes.memmove(head, struct.pack('=QqQ', at, 0, at), 24)
try:
    syscall(273 if AMD64 else 99, ctypes.c_void_p(at), 24)
except OSError:
    pass
done()
