# tries: return what is small and unfolds to a lot
# status: error|memory_limit|timeout|killed
# timeout: 1s
# memory: 128
x = ['ha'] * 10
for _ in range(12):
    x = [x] * 10
x
