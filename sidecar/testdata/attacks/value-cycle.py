# tries: return what contains itself
# status: error
x = {}
x['a'] = [x, (x, {'b': x})]
x
