# tries: write endless zeros to the control socket
# status: killed
for _ in range(1000):
    os.write(3, bytes(65536))
time.sleep(5)
