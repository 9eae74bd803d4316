# tries: become another program
# status: ok
for path in ('/bin/sh', '/bin/true', '/usr/bin/env', sys.executable or '/usr/bin/python3', '/usr/bin/python3', '/lib64/ld-linux-x86-64.so.2'):
    fails(path, os.execv, path, [path])
    refused('execve', path.encode(), 0, 0)
    refused('execveat', AT_FDCWD, path.encode(), 0, 0, 0)
open('p', 'w').write('#!/bin/sh\nexit 0\n')
fd = os.open('p', os.O_RDONLY)
refused('execveat', fd, b'', 0, 0, 0x1000)
refused('execve', b'p', 0, 0)
refused('uselib', b'/bin/true')
done()
