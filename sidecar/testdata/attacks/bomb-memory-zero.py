# tries: map shared pages of /dev/zero
# status: memory_limit|ok
# memory: 64
# timeout: 5s
import mmap
maps = []
try:
    fd = os.open('/dev/zero', os.O_RDONLY)
    while len(maps) < 1024:
        m = mmap.mmap(fd, 1 << 22, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_WRITE)
        m.write(b'x' * (1 << 22))
        maps.append(m)
    escaped('4 GiB')
except (OSError, MemoryError):
    pass
del maps
done()
