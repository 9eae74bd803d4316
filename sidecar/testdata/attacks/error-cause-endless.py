# tries: raise with a cause that always has another
# status: error|timeout|memory_limit|killed
# timeout: 1s
class E(Exception):
    @property
    def __cause__(self):
        return E()
    @property
    def __context__(self):
        return E()
raise E
