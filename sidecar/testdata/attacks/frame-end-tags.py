# tries: end well with lying tags
# status: error
m = b'{"status":"ok","exit_code":0}'
v = b'[{"$":["bytes",5]},{"$":["int","x"]},{"$":["dict",[[1]]]},{"$":[]},{"$":["datetime","never"]}]'
os.write(3, struct.pack('<IBII', 4 + len(m) + len(v), 4, 0, len(m)) + m + v)
time.sleep(5)
