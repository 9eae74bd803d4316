# tries: stand in a directory that is gone, and name things from there
# status: ok
os.mkdir('gone')
fd = os.open('gone', os.O_RDONLY | os.O_DIRECTORY)
os.chdir('gone')
os.rmdir('../gone')
for path in ('../..' + canary_file, 'x', '../' * 30 + canary_file.lstrip('/')):
    fails(path, os.open, path, os.O_RDONLY)
    fails(path, os.open, path, os.O_RDWR | os.O_CREAT, dir_fd=fd)
done()
