# tries: do by io_uring what is refused otherwise
# status: ok
for entries in (1, 8, 0):
    refused('io_uring_setup', entries, ctypes.create_string_buffer(120))
refused('io_uring_enter', 3, 1, 0, 0, 0, 0)
refused('io_uring_register', 3, 0, 0, 0)
refused('io_setup', 8, ctypes.byref(ctypes.c_long()))
done()
