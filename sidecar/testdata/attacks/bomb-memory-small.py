# tries: allocate small objects without end
# status: memory_limit
# timeout: 10s
# memory: 64
chain = None
while True:
    chain = [chain]
