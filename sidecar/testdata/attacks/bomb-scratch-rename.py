# tries: fill its directory with names that are never the same twice
# status: ok|killed|timeout
# timeout: 2s
open('f', 'w').close()
try:
    for n in range(1_000_000):
        os.rename('f', 'g')
        os.rename('g', 'f')
        os.symlink('x' * 1000, f'l{n}')
except OSError:
    pass
done()
