# tries: find secrets in its environment and memory
# status: ok
import gc
names = set(os.environ) - {'HOME', 'LANG', 'LC_ALL', 'PATH', 'TMPDIR', 'TZ'}
if names:
    escaped(f'environment {sorted(names)}')
environ = ctypes.POINTER(ctypes.c_char_p).in_dll(libc, 'environ')
i = 0
while environ[i]:
    if environ[i].partition(b'=')[0] not in (b'HOME', b'LANG', b'LC_ALL', b'PATH', b'TMPDIR', b'TZ'):
        escaped(f'environ {environ[i]}')
    i += 1
for o in gc.get_objects():
    if isinstance(o, (bytes, str)) and 'CODEMODE_' in str(o) and 'NUMBERS' not in str(o) and o is not names:
        escaped(repr(o)[:60])
if any('codemode' in a and 'key' in a.lower() for a in sys.argv + sys.orig_argv):
    escaped('arguments')
done()
