# tries: every call by number, with arguments that do nothing
# status: ok|killed|error
# timeout: 5s
allowed = set()
names = {n[0 if AMD64 else 1]: name for name, n in NUMBERS.items()}
for number in range(0, 600):
    # Calls that end, stop or block a program, or return into it, are left out: exits,
    # waits, sleeps, polls, signals, reads.
    if AMD64 and number in (0, 7, 15, 17, 19, 22, 23, 34, 35, 60, 61, 127, 128, 130, 219, 230, 231, 232, 233, 247, 270, 271, 281, 295,
                            327, 441, 449, 3, 9, 10, 11, 12, 25, 28, 1, 20, 32, 33, 436, 92, 95, 13, 14, 131, 158, 218, 273, 334, 56, 202, 302):
        continue
    if not AMD64:
        break
    try:
        syscall(number, -1, 0, 0, 0, 0, 0)
        allowed.add(number)
    except OSError as e:
        if e.errno not in (errno.EPERM, errno.ENOSYS):
            allowed.add(number)
harmful = {names[n] for n in allowed if n in names} - {'getpid', 'getpgid', 'getsid', 'fcntl', 'kill', 'prctl', 'tgkill', 'brk',
           'clock_gettime', 'sched_getaffinity', 'socketpair'}
if harmful:
    escaped(f'{sorted(harmful)}')
done()
