# tries: open files by handle, which no path check sees
# status: ok
handle = ctypes.create_string_buffer(struct.pack('=II', 128, 1) + b'\x02' + b'\0' * 127)
refused('open_by_handle_at', AT_FDCWD, handle, 0)
refused('name_to_handle_at', AT_FDCWD, b'.', handle, ctypes.byref(ctypes.c_int()), 0)
done()
