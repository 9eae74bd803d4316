# tries: raise with notes that are none
# status: error|ok
class N(str):
    def split(self, *_):
        raise SystemExit(0)
e = ValueError('x')
e.__notes__ = [N('n'), 5, None, object()] * 10000
raise e
