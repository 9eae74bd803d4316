# tries: take the executor's answers away from the runner, and never read any
# status: timeout|ok|error|killed
# timeout: 1s
for n in range(1, 5000):
    os.write(3, struct.pack('<IBI', 5, 3, n) + struct.pack('<H', 1) + b'f{}')
