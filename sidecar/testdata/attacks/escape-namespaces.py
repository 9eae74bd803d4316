# tries: make namespaces and enter those of others
# status: ok
for flag in (0x10000000, 0x00020000, 0x40000000, 0x20000000, 0x08000000, 0x04000000, 0x02000000, 0x80, 0x10000000 | 0x00020000, 0x200, 0x400):
    refused('unshare', flag)
for kind in (0, 0x10000000, 0x40000000):
    refused('setns', 0, kind)
for flag in (0x10000000, 0x20000000, 0x40000000, 0x00020000):
    refused('clone', flag | 17, 0, 0, 0, 0)
fails('of its parent', os.open, f'/proc/{os.getppid()}/ns/net', os.O_RDONLY)
fails('of init', os.open, '/proc/1/ns/mnt', os.O_RDONLY)
done()
