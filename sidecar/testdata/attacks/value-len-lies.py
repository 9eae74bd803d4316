# tries: return containers that lie about their size
# status: error|ok|timeout|memory_limit
# timeout: 1s
# memory: 128
class L(list):
    def __len__(self):
        return 10 ** 18
    def __iter__(self):
        while True:
            yield L()
print('HELD', flush=True)
L([1])
