# tries: return an object that lies about its class
# status: error|ok|timeout|memory_limit
# timeout: 1s
class Lie:
    @property
    def __class__(self):
        return dict
    def items(self):
        return 5
    def __iter__(self):
        return iter(range(10 ** 12))
    def __len__(self):
        return -1
print('HELD', flush=True)
Lie()
