# tries: end well with a value nested without end
# status: error
m = b'{"status":"ok","exit_code":0}'
v = b'[' * 100000 + b']' * 100000
data = struct.pack('<IBII', 4 + len(m) + len(v), 4, 0, len(m)) + m + v
while data:
    data = data[os.write(3, data):]
time.sleep(5)
