# tries: map private pages without end
# status: ok|memory_limit
# memory: 64
import mmap
maps = []
try:
    while len(maps) < 1024:
        m = mmap.mmap(-1, 1 << 22, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        m.write(b'x' * (1 << 22))
        maps.append(m)
    escaped('4 GiB')
except (OSError, MemoryError):
    pass
del maps
done()
