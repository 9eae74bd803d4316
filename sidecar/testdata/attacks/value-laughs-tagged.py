# tries: return what is small and unfolds to a lot, of values that need tags
# status: error|memory_limit|timeout|killed
# timeout: 1s
# memory: 128
x = [b'ha', 1j, {1: 2}]
for _ in range(14):
    x = [x] * 10
x
