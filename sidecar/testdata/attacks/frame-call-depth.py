# tries: call a tool with arguments nested without end
# status: killed|ok|error
data = b'{"a":' + b'[' * 100000 + b']' * 100000 + b'}'
os.write(3, struct.pack('<IBIH', 3 + len(data), 3, 1, 1) + b'f' + data)
time.sleep(0.3)
done()
