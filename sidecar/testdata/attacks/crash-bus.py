# tries: use a page of a file that is cut off
# status: killed
import mmap
with open('f', 'w+b') as f:
    f.write(b'x' * 8192)
    f.flush()
    m = mmap.mmap(f.fileno(), 8192)
    os.ftruncate(f.fileno(), 0)
    m[5000]
