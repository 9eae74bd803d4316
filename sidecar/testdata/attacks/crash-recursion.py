# tries: recurse to a crash
# status: killed|error|memory_limit|timeout
# timeout: 1s
sys.setrecursionlimit(1 << 30)
class Deep:
    def __getattr__(self, name):
        return getattr(self, name + 'x')
def f(n):
    return [f(n + 1) for _ in (1,)]
f(0)
