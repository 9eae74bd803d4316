# tries: end well with a value that is none
# status: error
m = b'{"status":"ok","exit_code":0}'
os.write(3, struct.pack('<IBII', 8 + len(m), 4, 0, len(m)) + m + b'[[[[')
time.sleep(5)
