# tries: execve from a thread, with an interpreter for a loader, and from memory
# status: ok
def attempt():
    for path in ('/bin/sh', sys.executable, '/lib64/ld-linux-x86-64.so.2', '/lib/ld-linux-aarch64.so.1', '/proc/self/exe'):
        refused('execve', path.encode(), (ctypes.c_char_p * 2)(b'x', None), None)
        refused('execveat', AT_FDCWD, path.encode(), None, None, 0)
        refused('execveat', AT_FDCWD, path.encode(), None, None, 0x10000)  # AT_EXECVE_CHECK
    refused('uselib', b'/lib/libc.so.6') if AMD64 else None
t = threading.Thread(target=attempt)
t.start()
t.join()
done()
