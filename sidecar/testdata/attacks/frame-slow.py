# tries: hold the line by sending a frame one byte at a time
# status: timeout|killed
# timeout: 1s
frame = struct.pack('<IBI', 1 << 20, 3, 1) + b'x' * (1 << 20)
for i in range(len(frame)):
    os.write(3, frame[i:i + 1])
    time.sleep(0.01)
