# tries: change the flags and the place of what all executions have as standard input
# status: ok
import fcntl
for fd in (0,):
    fcntl.fcntl(fd, fcntl.F_SETFL, os.O_APPEND | os.O_NONBLOCK | 0o2000000)
    try:
        os.lseek(fd, 4711, os.SEEK_SET)
    except OSError:
        pass
    try:
        fcntl.ioctl(fd, 0x5421, struct.pack('i', 1))
    except OSError:
        pass
done()
