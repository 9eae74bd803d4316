# tries: make the outputs nonblocking, reopen and seek them
# status: ok
os.set_blocking(1, False)
os.set_blocking(2, False)
for fd in (1, 2):
    fails('seek', os.lseek, fd, 0, 0)
    fails('truncate', os.ftruncate, fd, 0)
    fails('read', os.read, fd, 1)
    if own_root:  # elsewhere it could read its own output, which is its own
        fails('reopen', os.open, f'/proc/self/fd/{fd}', os.O_RDONLY)
os.set_blocking(1, True)
done()
