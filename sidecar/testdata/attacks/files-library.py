# tries: change the library that all executions share
# status: ok
import json
for path in (os.__file__, json.__file__, json.__cached__ or json.__file__, sys.executable or '/usr/bin/python3'):
    for flags in (os.O_WRONLY, os.O_RDWR, os.O_WRONLY | os.O_APPEND, os.O_RDONLY | os.O_TRUNC):
        fails(path, os.open, path, flags)
    for act in (os.unlink, lambda p: os.truncate(p, 0), lambda p: os.rename(p, 'x'), lambda p: os.chmod(p, 0o777),
                lambda p: os.utime(p, (1, 1)), lambda p: os.chown(p, os.getuid(), os.getgid()), lambda p: os.link(p, 'x'),
                lambda p: os.setxattr(p, 'user.x', b'1'), lambda p: os.removexattr(p, 'user.x')):
        fails(path, act, path)
    fd = os.open(path, os.O_RDONLY) if os.path.exists(path) else None
    if fd is not None:
        for act in (lambda: os.fchmod(fd, 0o777), lambda: os.ftruncate(fd, 0), lambda: os.write(fd, b'x'),
                    lambda: os.utime(fd, (1, 1)), lambda: os.posix_fallocate(fd, 0, 1 << 20),
                    lambda: os.pwrite(fd, b'x', 0), lambda: os.copy_file_range(fd, fd, 10, 0, 100)):
            fails(path, act)
done()
