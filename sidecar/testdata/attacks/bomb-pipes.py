# tries: fill pipes and enlarge them
# status: ok
held = []
import fcntl
try:
    while len(held) < 70000:
        r, w = os.pipe()
        held += [r, w]
        fails('enlarge', fcntl.fcntl, w, 1031, 1 << 20)
        os.set_blocking(w, False)
        try:
            while True:
                os.write(w, b'x' * 4096)
        except BlockingIOError:
            pass
    escaped(f'{len(held)} descriptors')
except OSError:
    pass
for fd in held:
    os.close(fd)
done()
