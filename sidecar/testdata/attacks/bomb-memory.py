# tries: allocate large blocks without end
# status: memory_limit
# timeout: 5s
# memory: 64
blocks = []
while True:
    blocks.append(bytearray(b'x' * (1 << 20)))
