# tries: fill the disk with files that have no name
# alone: where there are no mounts, all share one file system
# status: ok|killed|error
# timeout: 5s
total, held = 0, []
try:
    for i in range(4096):
        f = open('f', 'wb', 0)
        held.append(f)
        os.unlink('f')
        for _ in range(16):
            total += f.write(b'x' * (1 << 20))
    escaped(f'{total} bytes')
except OSError:
    pass
if total > 2 << 30:
    escaped(f'{total} bytes')
del held
done()
