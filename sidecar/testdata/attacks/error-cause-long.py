# tries: raise at the end of a hundred thousand causes
# status: error|memory_limit
# timeout: 10s
e = None
for i in range(100000):
    n = ValueError(i)
    n.__cause__ = e
    e = n
raise e
