# tries: crash in the handler of the crash
# status: killed|error|timeout
# timeout: 2s
handler = ctypes.CFUNCTYPE(None, ctypes.c_int)(lambda n: ctypes.memset(0, 0, 1) and None)
libc.signal(11, handler)
libc.signal(6, handler)
ctypes.memset(8, 0, 1)
