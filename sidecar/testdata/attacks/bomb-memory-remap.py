# tries: grow one mapping without end
# status: ok|memory_limit
# memory: 64
import mmap
size = 1 << 20
m = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
try:
    while size < 4 << 30:
        size *= 2
        m.resize(size)
        m[size - 1] = 1
    escaped(f'{size} bytes')
except (OSError, MemoryError, SystemError, ValueError):
    pass
done()
