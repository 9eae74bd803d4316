# tries: recurse in C to a crash
# status: killed|error|memory_limit|timeout
# timeout: 1s
sys.setrecursionlimit(1 << 30)
x = []
for _ in range(1000000):
    x = [x]
repr(x)
