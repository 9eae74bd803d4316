# tries: reach ports and segments of the processor
# status: ok
refused('iopl', 3)
refused('ioperm', 0, 1024, 1)
refused('modify_ldt', 1, ctypes.create_string_buffer(16), 16)
refused('personality', 0x0040000)
refused('personality', 0xffffffff)
done()
