# tries: mount, by the old calls and the new ones
# status: ok
os.mkdir('m')
for kind in (b'tmpfs', b'proc', b'sysfs', b'devpts', b'overlay', b'cgroup2', b'mqueue', b'bpf', b'fuse'):
    refused('mount', b'none', b'm', kind, 0, 0)
refused('mount', b'/', b'm', 0, 0x1000 | 0x4000, 0)
refused('mount', 0, b'/', 0, 0x20 | 0x1000, 0)
refused('umount2', b'/tmp', 2)
refused('fsopen', b'tmpfs', 0)
refused('fsconfig', 3, 6, 0, 0, 0)
refused('fsmount', 3, 0, 0)
refused('fspick', AT_FDCWD, b'/', 0)
refused('open_tree', AT_FDCWD, b'/', 1)
refused('move_mount', 3, b'', AT_FDCWD, b'm', 4)
refused('mount_setattr', AT_FDCWD, b'/', 0, ctypes.create_string_buffer(32), 32)
done()
