# tries: jump over the guard page, with a stack of its own
# status: killed|error
# timeout: 2s
buffer = ctypes.create_string_buffer(1 << 16)
ctypes.memset(ctypes.addressof(buffer) - (1 << 40), 0x41, 1 << 20)
