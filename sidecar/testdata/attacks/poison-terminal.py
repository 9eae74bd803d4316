# tries: push input into a terminal that it shares with someone
# status: ok
import fcntl, termios
for fd in (0, 1, 2, 3):
    for request in (0x5412, 0x541C, 0x5413 + 1, 0x540E, 0x5410, 0x5402, 0x4B44):
        fails('ioctl', fcntl.ioctl, fd, request, b'x' * 64)
fails('terminal', os.open, '/dev/tty', os.O_RDWR)
done()
