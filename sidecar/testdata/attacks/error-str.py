# tries: raise what runs code when it is shown
# status: error|killed
class E(Exception):
    def __str__(self):
        raise SystemExit(0)
    __repr__ = __str__
raise E
