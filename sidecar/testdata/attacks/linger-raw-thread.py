# tries: leave a thread behind that Python does not know, and write frames from it
# status: ok|killed
body = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)(lambda _: [time.sleep(0.001) for _ in iter(int, 1)] and None)
handle = ctypes.c_ulong()
libc.pthread_create(ctypes.byref(handle), None, body, None)
done()
