# tries: say once more that it is ready
# status: killed
os.write(3, struct.pack('<IBI', 0, 1, 0))
time.sleep(5)
