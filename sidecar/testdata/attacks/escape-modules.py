# tries: have a module of its own loaded by others, and load libraries of the host
# status: ok
open('libx.so', 'wb').write(b'\x7fELF' + b'\0' * 200)
fails('own library', ctypes.CDLL, './libx.so')
for path in (canary_file, '/proc/self/exe', '/etc/passwd'):
    fails(path, ctypes.CDLL, path)
done()
