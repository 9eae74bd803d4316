# tries: return strings and numbers that lie
# status: error|ok
class S(str):
    def __str__(self):
        return 'other'
    def encode(self, *_):
        raise SystemExit(0)
    def __hash__(self):
        raise KeyboardInterrupt
class I(int):
    def __index__(self):
        return 10 ** 100
    def __repr__(self):
        return '], "x": ['
class F(float):
    def __repr__(self):
        return 'NaN, 1'
print('HELD', flush=True)
[S('a'), I(1), F(2.0), {'k': I(3)}]
