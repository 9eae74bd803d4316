# tries: catch its own crash without end
# status: killed|timeout
# timeout: 700ms
import signal
handler = ctypes.CFUNCTYPE(None, ctypes.c_int)(lambda _: None)
libc.signal.argtypes = [ctypes.c_int, ctypes.c_void_p]
libc.signal(signal.SIGSEGV, ctypes.cast(handler, ctypes.c_void_p))
libc.signal(signal.SIGBUS, ctypes.cast(handler, ctypes.c_void_p))
ctypes.string_at(1)
