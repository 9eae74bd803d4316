# tries: have a link followed by swapping it for a directory while it is opened
# status: ok
# timeout: 5s
os.makedirs('real/etc')
open('real/etc/passwd', 'w').write('mine')
os.mkdir('dir')
os.symlink('/', 'out')
os.symlink('real', 'slot')
stop = False


def swap():
    while not stop:
        for target in ('/', 'real'):
            try:
                os.symlink(target, 'next')
                os.rename('next', 'slot')
            except OSError:
                pass


thread = threading.Thread(target=swap)
thread.start()
opened = 0
end = time.monotonic() + 0.7
while time.monotonic() < end:
    try:
        if read('slot/etc/passwd') not in (b'mine', b''):
            escaped('the password file')
        opened += 1
    except OSError:
        pass
    try:
        os.close(os.open('slot/x', os.O_WRONLY | os.O_CREAT))
    except OSError:
        pass
stop = True
thread.join()
done()
