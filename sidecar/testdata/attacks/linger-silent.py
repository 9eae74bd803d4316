# tries: hold the line without a word, in the middle of a frame
# status: timeout
# timeout: 500ms
os.write(3, struct.pack('<IBI', 1000, 3, 1) + b'x')
while True:
    time.sleep(100)
