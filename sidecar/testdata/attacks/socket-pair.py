# tries: turn its own socket pairs and control socket into more
# status: ok
a, b = socket.socketpair()
control = socket.socket(fileno=os.dup(3))
for s in (a, b, control):
    fd = s.fileno()
    for name in (('\0' + canary_abstract).encode(), canary_socket.encode()):
        address = struct.pack('=H', socket.AF_UNIX) + name
        refused('connect', fd, address, len(address))
        refused('bind', fd, address, len(address))
    refused('listen', fd, 1)
    fails('accept', s.accept)
for name in ('\0' + canary_abstract, canary_socket, '\0' + canary_abstract + '-datagram'):
    fails('send to', lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0].sendto(b'x', name))
for family in (socket.AF_INET, socket.AF_INET6, 16, 30):
    refused('socketpair', family, 1, 0, ctypes.create_string_buffer(8))
done()
