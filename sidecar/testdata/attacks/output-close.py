# tries: close all its streams
# status: ok
print('HELD', flush=True)
for fd in (0, 1, 2):
    os.close(fd)
sys.stdout = sys.stderr = sys.stdin = None
