# tries: hide flags in the upper halves of arguments that a filter compares
# status: ok
high = 1 << 32
for name, args in (('prctl', (4 + high, 1, 0, 0, 0)), ('kill', (os.getppid() + high, 0)), ('kill', (-1 & 0xffffffff, 0)), ('tgkill', (1 + high, 1, 0)),
                   ('prlimit64', (canary_pid + high, 0, 0, 0)), ('getpgid', (1 + high,)), ('fcntl', (0, 1024 + high, 1)),
                   ('socketpair', (2 + high, 1, 0, 0)), ('socket', (1 + high, 1, 0))):
    refused(name, *[ctypes.c_ulong(a) if a >= 1 << 31 else a for a in args])
done()
