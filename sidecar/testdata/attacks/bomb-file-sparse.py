# tries: make huge files of holes, and reserve space
# status: ok
with open('f', 'wb') as f:
    fails('truncate', os.ftruncate, f.fileno(), 1 << 50)
    fails('seek', lambda: os.pwrite(f.fileno(), b'x', 1 << 50))
    fails('reserve', os.posix_fallocate, f.fileno(), 0, 1 << 40)
done()
