# tries: talk to a terminal, and put words into its mouth
# status: ok
import fcntl, termios
for path in ('/dev/tty', '/dev/console', '/dev/tty0', '/dev/tty1', '/dev/pts/0', '/dev/ptmx', '/dev/pts/ptmx', '/dev/hvc0', '/dev/ttyS0'):
    fails(path, os.open, path, os.O_RDWR | os.O_NOCTTY)
for fd in (0, 1, 2, 3):
    for request in (termios.TIOCSTI, termios.TIOCSCTTY, termios.TIOCLINUX if hasattr(termios, 'TIOCLINUX') else 0x541c, 0x5413 + 1, termios.TIOCCONS):
        fails(f'ioctl {request:#x}', fcntl.ioctl, fd, request, b'x' * 64)
fails('a pair', os.openpty)
fails('setsid and a pair', os.login_tty if hasattr(os, 'login_tty') else os.openpty, 0)
done()
