# tries: grow the pipes to all that the user may have
# status: ok
import fcntl
for fd in (1, 2):
    for size in (1 << 20, 1 << 24, 1 << 30):
        fails('grow', fcntl.fcntl, fd, 1031, size)
held = []
try:
    while len(held) < 1000:
        a, b = os.pipe()
        held += [a, b]
        fails('grow', fcntl.fcntl, b, 1031, 1 << 20)
except OSError:
    pass
for fd in held:
    os.close(fd)
done()
