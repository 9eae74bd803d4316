# tries: start processes and namespaces by every odd combination of flags
# status: ok
CLONE = {'VM': 0x100, 'FS': 0x200, 'FILES': 0x400, 'SIGHAND': 0x800, 'PIDFD': 0x1000, 'PTRACE': 0x2000, 'VFORK': 0x4000,
         'PARENT': 0x8000, 'THREAD': 0x10000, 'NEWNS': 0x20000, 'SYSVSEM': 0x40000, 'UNTRACED': 0x800000, 'NEWCGROUP': 0x2000000,
         'NEWUTS': 0x4000000, 'NEWIPC': 0x8000000, 'NEWUSER': 0x10000000, 'NEWPID': 0x20000000, 'NEWNET': 0x40000000, 'IO': 0x80000000}
main = os.getpid()
for names in (('PARENT',), ('PIDFD',), ('PTRACE',), ('UNTRACED',), ('NEWUSER',), ('NEWNS',), ('NEWPID',), ('NEWNET',),
              ('NEWCGROUP',), ('NEWUTS',), ('NEWIPC',), ('FILES',), ('IO',), ('NEWUSER', 'NEWNET'),
              ('NEWUSER', 'NEWNS', 'NEWPID'), ('PARENT', 'VFORK')):
    flags = sum(CLONE[n] for n in names)
    try:
        pid = syscall('clone', flags | 17, 0, 0, 0, 0)
    except OSError:
        continue
    if pid == 0:
        os.write(1, b'ESCAPED: a child\n')
        os._exit(0)
    escaped(f'{names}: {pid}')
for high in (1 << 32, 1 << 40, 1 << 63):
    try:
        if syscall('clone', ctypes.c_ulong(high | 17), 0, 0, 0, 0) == 0:
            os.write(1, b'ESCAPED: a child\n')
            os._exit(0)
    except OSError:
        pass
done()
