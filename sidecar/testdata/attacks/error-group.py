# tries: raise groups within groups
# status: error|timeout|memory_limit
# timeout: 1s
e = ValueError('x')
for _ in range(500):
    e = ExceptionGroup('g', [e, e]) if sys.version_info >= (3, 11) else e
raise e
