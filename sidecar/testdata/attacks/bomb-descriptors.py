# tries: open descriptors without end
# status: ok
held = []
try:
    while len(held) < 70000:
        held.append(os.open('/dev/null', os.O_RDONLY))
    escaped(f'{len(held)} descriptors')
except OSError:
    pass
fails('a high number', os.dup2, 0, 70000)
for fd in held:
    os.close(fd)
done()
