# tries: have the kernel signal others: owners of descriptors, timers, parents' deaths
# status: ok
F_SETOWN, F_SETOWN_EX, F_SETSIG, F_SETLEASE, F_NOTIFY = 8, 15, 10, 1024, 1026
r, w = os.pipe()
for fd in (0, 1, 2, 3, r):
    for pid in (os.getppid(), canary_pid, 1, -1):
        refused('fcntl', fd, F_SETOWN, pid)
        refused('fcntl', fd, F_SETOWN_EX, ctypes.create_string_buffer(struct.pack('=ii', 1, pid), 8))
    refused('fcntl', fd, F_SETSIG, 9)
import fcntl
for request in (0x8901, 0x8902):  # FIOSETOWN, SIOCSPGRP
    fails('ioctl', fcntl.ioctl, 3, request, struct.pack('i', os.getppid()))
here = os.open('.', os.O_RDONLY)
refused('fcntl', here, F_NOTIFY, 0x8000003f)
event = ctypes.create_string_buffer(struct.pack('=QiiI', 0, 9, 4, os.getppid()), 64)
refused('timer_create', 1, event, ctypes.byref(ctypes.c_int()))
refused('prctl', 1, 9, 0, 0, 0)
refused('prctl', 36, 1, 0, 0, 0)
done()
