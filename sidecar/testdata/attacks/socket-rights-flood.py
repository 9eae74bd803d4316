# tries: put as many descriptors in flight as the kernel lets a user have, so that nobody else can send one
# status: ok
# beside: its worker has been handed descriptors meanwhile
pairs = []
try:
    for _ in range(60):
        a, b = socket.socketpair()
        pairs.append((a, b))
        a.setblocking(False)
        while True:
            try:
                socket.send_fds(a, [b'x'], [0] * 250)
            except BlockingIOError:
                break
except OSError as e:
    print('stopped by', e.errno, flush=True)
time.sleep(0.3)
done()
