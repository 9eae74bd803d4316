# tries: every system call from 424 to 600, among them those that this filter's author had never heard of
# status: ok
known = {435, 436, 437, 439, 441, 449}  # clone3, close_range, openat2, faccessat2, epoll_pwait2, futex_waitv
for number in range(424, 600):
    if number in known:
        continue
    try:
        got = syscall(number, -1, 0, 0, 0, 0, 0)
    except OSError as e:
        if e.errno not in (errno.EPERM, errno.ENOSYS):
            escaped(f'{number}: {e}')
    else:
        escaped(f'{number} gave {got}')
done()
