# tries: make timers, events and polls without end
# status: ok
held = []
try:
    while len(held) < 70000:
        held.append(syscall(283 if AMD64 else 85, 1, 0))
        held.append(syscall(290 if AMD64 else 19, 0, 0))
    escaped(f'{len(held)}')
except OSError:
    pass
for fd in held:
    os.close(fd)
done()
