# tries: call a tool with no name at all
# status: killed
os.write(3, struct.pack('<IBI', 0, 3, 1))
time.sleep(5)
