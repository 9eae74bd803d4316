# tries: turn descriptors that were opened with O_PATH into ones that read
# status: ok
for path in (canary_file, '/etc/shadow', '/etc/passwd', '/proc/1/environ', '/dev/mem', '/dev/kmsg'):
    try:
        fd = os.open(path, os.O_PATH)
    except OSError:
        continue
    fails(f'read {path}', os.read, fd, 1)
    fails(f'reopen {path}', os.open, f'/proc/self/fd/{fd}', os.O_RDONLY)
    fails(f'reopen by /dev/fd {path}', os.open, f'/dev/fd/{fd}', os.O_RDONLY)
    fails(f'empty path {path}', syscall, 'execveat', fd, b'', 0, 0, 0x1000)
    fails(f'linkat {path}', os.link, f'/proc/self/fd/{fd}', 'mine')
    fails(f'linkat empty {path}', syscall, 265 if AMD64 else 37, fd, b'', AT_FDCWD, b'mine', 0x1000)
    fails(f'chmod {path}', os.chmod, fd, 0o777)
if os.path.lexists('mine'):
    escaped('a link to what is outside')
done()
