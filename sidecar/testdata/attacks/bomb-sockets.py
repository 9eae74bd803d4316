# tries: fill the buffers of socket pairs
# status: ok
# timeout: 30s
# It takes up to 2.5 s of a processor, as the kernel copies what fills the buffers.
held = []
try:
    while len(held) < 70000:
        a, b = socket.socketpair()
        held += [a, b]
        a.setblocking(False)
        try:
            a.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 30)
        except OSError:
            pass
        try:
            while True:
                a.send(b'x' * 65536)
        except BlockingIOError:
            pass
    escaped(f'{len(held)} sockets')
except OSError:
    pass
for s in held:
    s.close()
done()
