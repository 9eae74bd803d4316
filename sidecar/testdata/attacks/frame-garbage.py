# tries: write garbage to the control socket
# status: killed
os.write(3, bytes(range(255, -1, -1)) * 16)
time.sleep(5)
