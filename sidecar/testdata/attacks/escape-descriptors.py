# tries: use descriptors that it was not given
# status: ok
found = []
for fd in range(4, 4096):
    try:
        os.fstat(fd)
        found.append(fd)
    except OSError:
        pass
if found:
    escaped(f'descriptors {found}')
for fd in (0, 1, 2, 3):
    mode = os.fstat(fd).st_mode
    if stat.S_ISDIR(mode) or stat.S_ISREG(mode) or stat.S_ISBLK(mode):
        escaped(f'descriptor {fd} is {mode:o}')
    fails('a path below it', os.open, 'etc', os.O_RDONLY, dir_fd=fd)
    fails('go there', os.fchdir, fd)
done()
