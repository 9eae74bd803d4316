# tries: move bytes out of a file that may only be looked at, without reading it
# status: ok
a, b = os.pipe()
for path in (canary_file, '/etc/shadow', '/proc/kmsg', '/proc/1/mem'):
    for flags in (os.O_PATH, os.O_RDONLY, os.O_RDONLY | os.O_NONBLOCK, os.O_RDWR, os.O_WRONLY):
        try:
            fd = os.open(path, flags)
        except OSError:
            continue
        if flags != os.O_PATH:
            escaped(f'{path} opened with {flags}')
        fails('splice', os.splice, fd, b, 100)
        fails('sendfile', os.sendfile, b, fd, 0, 100)
        fails('copy_file_range', os.copy_file_range, fd, os.open('copy', os.O_CREAT | os.O_WRONLY), 100)
        fails('mmap', __import__('mmap').mmap, fd, 1)
        os.close(fd)
done()
