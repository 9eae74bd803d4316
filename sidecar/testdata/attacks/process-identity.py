# tries: become someone else
# status: ok
for act in (lambda: os.setuid(0), lambda: os.setgid(0), lambda: os.setreuid(0, 0), lambda: os.setresuid(0, 0, 0),
            lambda: os.setresgid(0, 0, 0), lambda: os.setgroups([0]), lambda: os.setuid(1000), lambda: os.setsid(),
            lambda: os.setuid(os.getuid()), lambda: os.initgroups('root', 0)):
    fails('identity', act)
# In a user namespace of its own, 0 is a name for the user outside.
if not own_root and (os.getuid() == 0 or os.geteuid() == 0 or 0 in os.getgroups()):
    escaped('it is root')
caps = ctypes.create_string_buffer(24)
syscall(125 if AMD64 else 90, ctypes.create_string_buffer(struct.pack('=Ii', 0x20080522, 0), 8), caps)
if any(caps.raw):
    escaped(f'capabilities {caps.raw.hex()}')
full = ctypes.create_string_buffer(b'\xff' * 24, 24)
refused(126 if AMD64 else 91, ctypes.create_string_buffer(struct.pack('=Ii', 0x20080522, 0), 8), full)
done()
