# tries: walk up from a directory that is moved while it is open
# status: ok
# timeout: 5s
os.makedirs('a/b/c')
os.mkdir('elsewhere')
stop = False


def move():
    while not stop:
        try:
            os.rename('a/b/c', 'elsewhere/c')
            os.rename('elsewhere/c', 'a/b/c')
        except OSError:
            pass


thread = threading.Thread(target=move)
thread.start()
end = time.monotonic() + 0.7
while time.monotonic() < end:
    try:
        fd = os.open('a/b/c', os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        continue
    for up in ('../../../..', '../../../../..', '../../../../../..'):
        for path in ('/etc/passwd', canary_file):
            try:
                os.close(os.open(up + path, os.O_RDONLY, dir_fd=fd))
                escaped(path)
            except OSError:
                pass
    os.close(fd)
stop = True
thread.join()
done()
