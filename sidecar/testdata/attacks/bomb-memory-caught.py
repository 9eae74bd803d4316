# tries: allocate without end and catch the error each time
# status: timeout|memory_limit|killed
# timeout: 1s
# memory: 64
blocks = []
while True:
    try:
        while True:
            blocks.append(bytearray(1 << 16))
    except MemoryError:
        pass
