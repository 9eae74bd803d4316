# tries: end with an explanation longer than its frame
# status: killed
m = b'{"status":"ok"}'
os.write(3, struct.pack('<IBII', 4 + len(m), 4, 0, 99999) + m)
time.sleep(5)
