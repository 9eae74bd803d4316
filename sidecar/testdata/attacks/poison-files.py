# tries: leave files where the next execution finds them
# status: ok
left = 0
for directory in ('.', os.environ['HOME'], os.environ['TMPDIR'], '/tmp', '/var/tmp', '/dev/shm', '/run', '/dev/mqueue', '/sandbox', '/'):
    try:
        os.makedirs(os.path.join(directory, 'poison', 'inner'), exist_ok=True)
        open(os.path.join(directory, 'poison.txt'), 'w').write('x')
        left += 1
    except OSError:
        pass
done()
