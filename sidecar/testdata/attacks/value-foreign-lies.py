# tries: return what pretends to be of numpy, pandas, a dataclass or a path
# status: error|ok
class A:
    __module__ = 'numpy'
    def tolist(self):
        return A()
class P:
    __module__ = 'pandas'
    columns = 1
    def to_dict(self, *_):
        return P()
class T:
    def to_pydatetime(self):
        return T()
class Path(os.PathLike):
    def __fspath__(self):
        return b'\xff' * 10
print('HELD', flush=True)
values = []
for v in (A(), P(), T()):
    values.append(v)
values
