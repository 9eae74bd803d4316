# tries: make a hundred thousand calls and read no answer
# status: killed|timeout|ok|error
# timeout: 1s
call = struct.pack('<H', 1) + b'f{}'
for i in range(100000):
    os.write(3, struct.pack('<IBI', len(call), 3, i) + call)
done()
