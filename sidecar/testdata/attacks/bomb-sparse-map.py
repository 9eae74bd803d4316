# tries: a sparse file mapped and touched page by page
# status: ok|killed|memory_limit|timeout|error
# timeout: 3s
import mmap
with open('f', 'wb+') as f:
    try:
        f.truncate(60 << 20)
        m = mmap.mmap(f.fileno(), 60 << 20)
    except (OSError, ValueError):
        m = None
    for at in range(0, 60 << 20, 4096) if m else ():
        m[at] = 1
done()
