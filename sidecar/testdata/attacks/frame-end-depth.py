# tries: end with an explanation nested without end
# status: killed|error
m = b'{"status":"error","error":' + b'[' * 60000 + b']' * 60000 + b'}'
os.write(3, struct.pack('<IBII', 4 + len(m), 4, 0, len(m)) + m)
time.sleep(5)
