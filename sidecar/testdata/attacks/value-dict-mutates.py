# tries: a mapping that changes while it is encoded
# status: ok|error|timeout
# timeout: 2s
class Moving(dict):
    def items(self):
        self[len(self)] = 1
        return super().items()
    def __iter__(self):
        self[len(self)] = 1
        return super().__iter__()
print('HELD', flush=True)
Moving(a=1, b=Moving(c=2))
