# tries: map shared pages, which private limits do not count
# status: memory_limit
# memory: 64
# timeout: 5s
import mmap
maps = []
try:
    while len(maps) < 1024:
        m = mmap.mmap(-1, 1 << 22)
        for i in range(0, 1 << 22, 4096):
            m[i] = 1
        maps.append(m)
    escaped('4 GiB')
except OSError:
    pass
time.sleep(10)
