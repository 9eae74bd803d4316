# tries: have openat2 resolve in a root of its choice
# status: ok
here = os.open('/', os.O_RDONLY | os.O_DIRECTORY) if own_root else os.open('.', os.O_RDONLY | os.O_DIRECTORY)
for resolve in (0, 0x04, 0x08, 0x10, 0x20, 0x01, 0x02):
    how = ctypes.create_string_buffer(struct.pack('=QQQ', os.O_RDONLY, 0, resolve), 24)
    for path in (b'../../../etc/passwd', b'/etc/passwd', canary_file.encode(), b'proc/1/environ'):
        try:
            fd = syscall(437, here, path, how, 24)
            escaped(f'{path} by openat2 {resolve}')
        except OSError:
            pass
done()
