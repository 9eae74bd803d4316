# tries: a result whose every attribute is another of its kind
# status: error|timeout|memory_limit
# timeout: 2s
class Endless:
    def __getattr__(self, name):
        return Endless()
    def __call__(self, *args, **kwargs):
        return Endless()
    def __iter__(self):
        return iter([Endless()])
    def __len__(self):
        return 1
Endless()
