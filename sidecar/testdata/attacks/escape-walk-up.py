# tries: climb out by the parent of an open directory that is moved while one stands in it
# status: ok
os.makedirs('a/b/c')
fd = os.open('a/b/c', os.O_RDONLY | os.O_DIRECTORY)
os.rename('a/b/c', 'c')
for steps in range(1, 40):
    try:
        up = os.open('/'.join(['..'] * steps), os.O_RDONLY | os.O_DIRECTORY, dir_fd=fd)
    except OSError:
        continue
    try:
        names = os.listdir(up)
    except OSError:
        continue
    if os.path.basename(os.path.dirname(canary_file)) in names:
        escaped(f'{steps} up: {names}')
    fails('the canary', os.open, canary_file.lstrip('/'), os.O_RDONLY, dir_fd=up)
done()
