# tries: start threads past Python, with no stack to speak of
# status: killed|timeout
# timeout: 700ms
# alone: it takes the threads of all
libc.pthread_attr_setstacksize.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
attr = ctypes.create_string_buffer(64)
libc.pthread_attr_init(attr)
libc.pthread_attr_setstacksize(attr, 16384)
handle = ctypes.c_ulong()
pause = ctypes.cast(libc.pause, ctypes.c_void_p)
while True:
    if libc.pthread_create(ctypes.byref(handle), attr, pause, None) != 0:
        time.sleep(0.01)
