# tries: call a tool whose name is longer than the frame
# status: killed
os.write(3, struct.pack('<IBIH', 602, 3, 1, 65535) + b'x' * 600)
time.sleep(5)
