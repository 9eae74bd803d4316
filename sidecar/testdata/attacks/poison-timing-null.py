# tries: change what /dev/null, /dev/zero and the clock are for others
# status: ok
for path in ('/dev/null', '/dev/zero', '/dev/full', '/dev/urandom'):
    fails(path, os.chmod, path, 0)
    fails(path, os.unlink, path)
    fails(path, os.rename, path, path + 'x')
    fails(path, os.truncate, path, 0) if path != '/dev/null' else None
    fails(path, os.utime, path, (1, 1))
fails('seed', lambda: os.write(os.open('/dev/urandom', os.O_WRONLY), b'x'))
fails('clock', time.clock_settime, time.CLOCK_REALTIME, 0)
done()
