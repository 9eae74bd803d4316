# tries: compute a number that fits no memory
# status: memory_limit|timeout|error
# timeout: 1s
# memory: 64
x = 3
while True:
    x = x * x
