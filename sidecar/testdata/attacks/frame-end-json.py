# tries: end with what is not JSON
# status: killed
os.write(3, struct.pack('<IBII', 8, 4, 0, 4) + b'{{{{')
time.sleep(5)
