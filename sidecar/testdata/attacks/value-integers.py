# tries: return a number of ten million digits
# status: error|ok|timeout|memory_limit
# timeout: 700ms
print('HELD', flush=True)
1 << 33000000
