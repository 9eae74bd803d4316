# tries: send descriptors where they can be counted against others
# status: ok|killed
a, b = socket.socketpair()
try:
    for _ in range(100):
        socket.send_fds(a, [b'x'], [a.fileno()] * 250)
    escaped('25,000 descriptors are under way')
except OSError:
    pass
done()
