# tries: read a file that everyone on the host may read
# status: ok
fails('open', read, canary_file)
fails('stat and open', lambda: os.open(canary_file, os.O_RDONLY))
fails('truncate', os.truncate, canary_file, 0)
fails('list', os.listdir, os.path.dirname(canary_file))
fails('remove', os.unlink, canary_file)
fails('rename', os.rename, canary_file, 'mine')
fails('link', os.link, canary_file, 'mine')
for flags in (os.O_WRONLY, os.O_RDWR, os.O_WRONLY | os.O_APPEND, os.O_WRONLY | os.O_CREAT | os.O_TRUNC):
    fails('write', os.open, canary_file, flags)
fd = None
try:
    fd = os.open(canary_file, os.O_PATH)
except OSError:
    pass
if fd is not None:  # a name without rights: nothing may come of it
    fails('by descriptor', read, f'/proc/self/fd/{fd}')
    fails('by /dev/fd', read, f'/dev/fd/{fd}')
    fails('read', os.read, fd, 1)
done()
