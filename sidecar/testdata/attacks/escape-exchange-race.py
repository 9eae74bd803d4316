# tries: exchange a directory with a link under a creating thread
# status: ok
# timeout: 3s
stop = time.monotonic() + 1
os.mkdir('a')
os.symlink(os.path.dirname(canary_file), 'b')
rename = libc.renameat2
rename.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint]
def swap():
    while time.monotonic() < stop:
        rename(AT_FDCWD, b'a', AT_FDCWD, b'b', 2)
threads = [threading.Thread(target=swap) for _ in range(2)]
for t in threads:
    t.start()
while time.monotonic() < stop:
    for act in (lambda: open('a/planted', 'w').close(), lambda: open('a/canary.txt').read(), lambda: os.mkdir('b/dir'),
                lambda: os.rename('b/canary.txt', 'mine'), lambda: os.link('b/canary.txt', 'hard')):
        try:
            if act() == canary_text:
                escaped('read the canary')
        except OSError:
            pass
for t in threads:
    t.join()
for name in ('mine', 'hard'):
    if os.path.exists(name):
        escaped(name)
done()
