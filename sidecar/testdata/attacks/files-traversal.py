# tries: climb out of its directory by names
# status: ok
here = os.open('.', os.O_RDONLY | os.O_DIRECTORY)
for up in range(1, 12):
    fails('up', read, '../' * up + 'etc/passwd')
    fails('up', read, './' + '../' * up + 'etc/shadow')
    fails('up at', os.open, '../' * up + 'etc/passwd', os.O_RDONLY, dir_fd=here)
    fails('write', open, '../' * up + 'x', 'w')
fails('NUL', read, canary_file + '\0.txt')
fails('long', read, '/' + 'a/' * 5000)
fails('bytes', read, b'//etc//./passwd')
os.chdir('/')
fails('from the root', read, 'etc/passwd')
done()
