# tries: an object that passes for pandas' and gives itself back for ever
# status: error|timeout|memory_limit
# timeout: 2s
class Timestamp:
    __module__ = 'pandas._libs'
    def to_pydatetime(self):
        return Timestamp()
    def to_dict(self, *a):
        return [self, self]
    columns = ()
Timestamp()
