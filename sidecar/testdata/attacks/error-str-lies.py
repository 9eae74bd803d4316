# tries: raise what shows itself as something else
# status: error
class S(str):
    def __len__(self):
        return -1
    def __getitem__(self, key):
        raise SystemExit(0)
    def encode(self, *_):
        return 5
class E(Exception):
    def __str__(self):
        return S('x' * 100)
raise E
