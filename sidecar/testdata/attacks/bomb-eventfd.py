# tries: events, timers and locks without end
# status: ok|error|memory_limit
held = []
try:
    while len(held) < 100_000:
        held.append(os.eventfd(0))
except OSError:
    pass
if len(held) > 70_000:
    escaped(f'{len(held)} descriptors')
for fd in held:
    os.close(fd)
done()
