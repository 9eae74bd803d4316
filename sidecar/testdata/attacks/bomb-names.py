# tries: leave files whose names mislead
# status: ok
for name in (b'\xff\xfe', b'a\nb', b'-rf', b' ', b'...', b'*', b'$(id)', b'\x1b[2J', b'x' * 255):
    open(name, 'w').close()
os.symlink('/', 'root')
os.symlink(canary_file, 'canary')
try:
    os.mkfifo('fifo')
except OSError:
    pass
done()
