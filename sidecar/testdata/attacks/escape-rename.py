# tries: move what is outside in, and what is inside out
# status: ok
os.mkdir('d')
open('f', 'w').close()
for target in ('/x', '/tmp/../x', os.path.dirname(canary_file) + '/x', '/usr/x', os.path.dirname(os.__file__) + '/x', '../x'):
    fails(target, os.rename, 'f', target)
    fails(target, os.rename, 'd', target)
for source in (canary_file, os.__file__, '/etc/passwd', '/dev/null', os.path.dirname(os.__file__)):
    fails(source, os.rename, source, 'mine')
    libc.renameat2.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint]
    if libc.renameat2(AT_FDCWD, source.encode(), AT_FDCWD, b'f', 2) == 0:
        escaped(f'exchanged {source}')
scratch = os.getcwd()
fails('itself', os.rename, scratch, scratch + '-moved')
fails('remove itself', os.rmdir, scratch)
done()
