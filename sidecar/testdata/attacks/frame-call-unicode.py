# tries: call a tool whose name is no text
# status: killed
os.write(3, struct.pack('<IBIH', 6, 3, 1, 2) + b'\xff\xfe{}')
time.sleep(5)
