# tries: fill the disk with many files
# alone: where there are no mounts, all share one file system
# status: ok|killed
# timeout: 5s
total = 0
try:
    for i in range(4096):
        with open(f'f{i}', 'wb', 0) as f:
            total += f.write(b'x' * (1 << 20))
    escaped(f'{total} bytes')
except OSError:
    pass
done()
