# tries: return what looks like a tag of the encoding
# status: ok
print('HELD', flush=True)
[{'$': ['bytes', '!!']}, {'$': 1}, {'$': ['dict', [[1, 2, 3]]]}, {'$': ['datetime', 'x']}]
