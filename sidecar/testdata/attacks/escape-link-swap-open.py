# tries: win a race between a name being a directory and being a link, in os.walk and rmtree
# status: ok
# timeout: 3s
import shutil
stop = time.monotonic() + 1
os.mkdir('d')
def swap():
    while time.monotonic() < stop:
        try:
            os.rename('d', 'e')
            os.symlink(os.path.dirname(canary_file), 'd')
            os.unlink('d')
            os.rename('e', 'd')
        except OSError:
            pass
t = threading.Thread(target=swap)
t.start()
while time.monotonic() < stop:
    try:
        with open('d/canary.txt', 'rb') as f:
            if canary_text.encode() in f.read():
                escaped('the canary through a link')
    except OSError:
        pass
    try:
        fd = os.open('d/new', os.O_CREAT | os.O_WRONLY)
        os.close(fd)
    except OSError:
        pass
    shutil.rmtree('d/new', ignore_errors=True)
t.join()
done()
