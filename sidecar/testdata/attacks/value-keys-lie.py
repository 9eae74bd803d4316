# tries: return a mapping whose keys and items never end
# status: error|ok|timeout|memory_limit
# timeout: 1s
# memory: 128
class D(dict):
    def keys(self):
        return iter(int, 1)
    def items(self):
        n = 0
        while True:
            n += 1
            yield n, n
print('HELD', flush=True)
D(a=1)
