# tries: open devices besides the harmless ones
# status: ok
for path in ('/dev/kmsg', '/dev/mem', '/dev/kmem', '/dev/port', '/dev/sda', '/dev/vda', '/dev/loop-control', '/dev/fuse',
             '/dev/kvm', '/dev/net/tun', '/dev/tty', '/dev/console', '/dev/ptmx', '/dev/pts/0', '/dev/shm', '/dev/mqueue',
             '/dev/vsock', '/dev/vhost-vsock', '/dev/userfaultfd', '/dev/uinput', '/dev/hwrng', '/dev/core',
             '/dev/log', '/dev/snapshot', '/dev/mapper/control', '/dev/dri/card0', '/dev/nvidia0', '/dev/rtc'):
    fails(path, os.open, path, os.O_RDONLY)
    fails(path, os.open, path, os.O_WRONLY)
    fails(path, os.open, path, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW) if own_root else None
for path in ('/dev/zero', '/dev/random', '/dev/urandom', '/dev/full'):
    fails(path, os.open, path, os.O_WRONLY)
fails('make', open, '/dev/x', 'w')
done()
