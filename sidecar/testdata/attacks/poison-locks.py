# tries: take locks and leases on files that all executions share
# status: ok
import fcntl
F_GETLK, F_OFD_GETLK, F_OFD_SETLK, F_SETLEASE, F_GETLEASE, F_ADD_SEALS, F_SET_RW_HINT = 5, 36, 37, 1024, 1025, 1033, 1036
for path, flags in ((os.__file__, os.O_RDONLY), ('/dev/null', os.O_RDWR), ('/dev/null', os.O_RDONLY)):
    fd = os.open(path, flags)
    for kind in (1, 2, 4 | 1, 4 | 2, 8):
        refused('flock', fd, kind)
    request = ctypes.create_string_buffer(struct.pack('=hhiqqi', 1, 0, 0, 0, 0, 0), 32)
    for command in (F_GETLK, F_OFD_GETLK, F_OFD_SETLK, 38, F_ADD_SEALS, F_SET_RW_HINT, 1038):
        refused('fcntl', fd, command, request)
    for lease in (0, 1, 2):
        refused('fcntl', fd, F_SETLEASE, lease)
    refused('fcntl', fd, F_GETLEASE, 0)
done()
