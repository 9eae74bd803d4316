# tries: take leases and watches on files that other runs use
# status: ok
import fcntl
for path in (os.__file__, '/dev/null'):
    fd = os.open(path, os.O_RDONLY)
    for command in (fcntl.F_SETLEASE, fcntl.F_NOTIFY, fcntl.F_SETSIG, fcntl.F_SETOWN, 15, 1024 + 9, 1024 + 7, 38, 37):
        for arg in (0, 1, 2, 0x40, os.getppid(), -1):
            try:
                got = fcntl.fcntl(fd, command, arg)
            except OSError:
                continue
            if command in (fcntl.F_SETLEASE, fcntl.F_NOTIFY):
                escaped(f'{command} {arg} on {path}: {got}')
    fails('flock', fcntl.flock, fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
done()
