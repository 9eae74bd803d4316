# tries: take files into its directory by hard links
# status: ok
fails('canary', os.link, canary_file, 'canary')
fails('library', os.link, os.__file__, 'os.py')
fails('password', os.link, '/etc/passwd', 'passwd')
fails('null', os.link, '/dev/null', 'null')
fd = os.open(os.__file__, os.O_RDONLY)
fails('by descriptor', os.link, f'/proc/self/fd/{fd}', 'os.py', follow_symlinks=True)
libc.linkat.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int]
if libc.linkat(fd, b'', AT_FDCWD, b'os.py', 0x1000) == 0:
    escaped('linked by AT_EMPTY_PATH')
done()
