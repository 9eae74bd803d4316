# tries: send descriptors and credentials of others through a pair of its own
# status: ok
a, b = socket.socketpair()
for pid, uid, gid in ((1, 0, 0), (os.getppid(), 0, 0), (canary_pid, os.getuid(), os.getgid()), (os.getpid(), 0, 0)):
    try:
        a.sendmsg([b'x'], [(socket.SOL_SOCKET, 2, struct.pack('iII', pid, uid, gid))])
        escaped(f'credentials of {pid}')
    except OSError:
        pass
for fd in (-1, 1000, 2**31 - 1):
    fails('a descriptor that is none', a.sendmsg, [b'x'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack('i', fd))])
done()
