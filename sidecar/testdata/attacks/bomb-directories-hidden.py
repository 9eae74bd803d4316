# tries: leave what its remover may not enter
# status: ok
os.makedirs('a/b/c')
open('a/b/c/f', 'w').write('x')
for path in ('a/b/c', 'a/b', 'a'):
    try:
        os.chmod(path, 0)
    except OSError:
        pass
done()
