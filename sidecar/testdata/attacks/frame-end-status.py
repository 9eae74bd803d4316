# tries: end with a status that only the executor gives
# status: killed
m = b'{"status":"cancelled"}'
os.write(3, struct.pack('<IBII', 4 + len(m), 4, 0, len(m)) + m)
time.sleep(5)
