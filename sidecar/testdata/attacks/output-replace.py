# tries: put something else in place of its streams
# status: ok|error
class Bad:
    def write(self, *_):
        raise SystemExit(3)
    flush = write
    def __getattr__(self, name):
        raise KeyboardInterrupt
print('HELD', flush=True)
sys.stdout = sys.stderr = sys.__stdout__ = sys.__stderr__ = Bad()
