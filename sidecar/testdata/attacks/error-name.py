# tries: raise what lies about its name
# status: error
class M(type):
    @property
    def __name__(cls):
        raise SystemExit(0)
    @property
    def __qualname__(cls):
        return 5
    @property
    def __module__(cls):
        raise KeyboardInterrupt
class E(Exception, metaclass=M):
    pass
raise E
