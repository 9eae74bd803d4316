# tries: make nameless files where nothing may be written, and give them a name there
# status: ok
tmpfile = 0o20200000
for directory in (os.path.dirname(canary_file), '/', '/usr', '/etc', '/var/tmp', '/dev/shm', '/dev', os.path.dirname(os.__file__)):
    fails(directory, os.open, directory, tmpfile | os.O_RDWR, 0o600)
    fails(directory, os.open, directory + '/planted', os.O_CREAT | os.O_RDWR, 0o600)
try:
    fd = os.open('.', tmpfile | os.O_RDWR, 0o600)
except OSError:
    fd = os.open('f', os.O_CREAT | os.O_RDWR)
fails('a name outside', os.link, f'/proc/self/fd/{fd}', os.path.dirname(canary_file) + '/planted')
fails('a name outside', syscall, 265 if AMD64 else 37, fd, b'', AT_FDCWD, (os.path.dirname(canary_file) + '/planted').encode(), 0x1000)
done()
