# tries: end with nothing
# status: killed
os.write(3, struct.pack('<IBI', 0, 4, 0))
time.sleep(5)
