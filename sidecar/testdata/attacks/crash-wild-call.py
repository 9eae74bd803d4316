# tries: call where there is no code, and where there is data
# status: killed|error
# timeout: 2s
data = ctypes.create_string_buffer(b'\xcc' * 100)
ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(data))()
