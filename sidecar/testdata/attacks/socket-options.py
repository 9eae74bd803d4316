# tries: run filter programs of its own in the kernel by socket options
# status: ok
a, b = socket.socketpair()
program = ctypes.create_string_buffer(struct.pack('=HBBI', 6, 0, 0, 0xffff), 8)
filter_ = struct.pack('=H6xQ', 1, ctypes.addressof(program))
for option in (26, 50, 51, 52):  # SO_ATTACH_FILTER, _BPF, _REUSEPORT_CBPF, _EBPF
    fails(f'option {option}', a.setsockopt, socket.SOL_SOCKET, option, filter_)
fails('debug', a.setsockopt, socket.SOL_SOCKET, socket.SO_DEBUG, 1)
fails('mark', a.setsockopt, socket.SOL_SOCKET, socket.SO_MARK, 1)
fails('buffer', a.setsockopt, socket.SOL_SOCKET, 32, 1 << 30)  # SO_SNDBUFFORCE
done()
