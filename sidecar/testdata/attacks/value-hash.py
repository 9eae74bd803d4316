# tries: return a set of colliding and lying members
# status: error|ok
class H:
    def __hash__(self):
        return 1
    def __eq__(self, other):
        raise SystemExit(0)
print('HELD', flush=True)
s = {H()}
s
