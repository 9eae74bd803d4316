# tries: make devices, pipes and sockets, in its own directory as well
# status: ok
for kind in (stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK):
    for device in ((1, 1), (1, 2), (8, 0), (254, 0), (10, 200), (10, 229)):
        try:
            os.mknod(f'n{kind}', kind | 0o666, os.makedev(*device))
            escaped(f'a special file {kind:o}')
        except OSError:
            pass
fails('fifo', os.mkfifo, 'fifo')
done()
