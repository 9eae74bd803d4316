# tries: exit with codes that are none
# status: error|ok
class Lie(int):
    def __and__(self, other):
        return 'lie'
    def __eq__(self, other):
        return True
    __hash__ = int.__hash__
done()
sys.exit(Lie(7))
