# tries: make a directory tree too deep for its remover
# status: ok|killed|timeout
# timeout: 1s
depth = 0
try:
    while depth < 20000:
        os.mkdir('d')
        os.chdir('d')
        depth += 1
except OSError:
    pass
print('HELD', flush=True)
