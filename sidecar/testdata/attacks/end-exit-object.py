# tries: exit with an object that cannot be shown
# status: error
class Bad:
    def __str__(self):
        raise RuntimeError('no')
sys.exit(Bad())
