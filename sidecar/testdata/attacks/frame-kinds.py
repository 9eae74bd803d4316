# tries: send frames of a kind that only the executor sends
# status: killed
for kind in (17, 16, 18, 1, 2, 0, 5, 99, 255):
    os.write(3, struct.pack('<IBI', 1, kind, 1) + b'x')
time.sleep(5)
