# tries: load programs into the kernel
# status: ok
attr = ctypes.create_string_buffer(128)
for command in range(0, 40):
    refused('bpf', command, attr, 128)
refused('perf_event_open', attr, 0, -1, -1, 0)
refused('perf_event_open', attr, -1, 0, -1, 0)
done()
