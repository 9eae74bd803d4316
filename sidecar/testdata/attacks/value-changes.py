# tries: return what changes while it is encoded
# status: ok|error
class Changer(list):
    def __iter__(self):
        target['n'] = 1
        target.pop('a', None)
        target[str(len(target))] = 1
        return iter([1, 2])
print('HELD', flush=True)
target = {'a': Changer(), 'b': Changer(), 'c': Changer()}
target
