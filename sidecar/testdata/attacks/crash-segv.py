# tries: read where nothing is
# status: killed
ctypes.string_at(1)
