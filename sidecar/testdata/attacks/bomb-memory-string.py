# tries: multiply strings and lists past the limit
# status: memory_limit
# memory: 64
x = ['x' * (1 << 10)] * (1 << 40)
