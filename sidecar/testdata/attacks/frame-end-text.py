# tries: put what is no text, and what controls a terminal, into the explanation
# status: error
m = b'{"status":"error","exit_code":-5,"error":{"type":"\xff\xfe","message":"\\u0000\\ud800\x7f","traceback":"' + b'x' * 100000 + b'","line":-1}}'
os.write(3, struct.pack('<IBII', 4 + len(m), 4, 0, len(m)) + m)
time.sleep(5)
