# tries: announce a final frame larger than any result may be
# status: killed
os.write(3, struct.pack('<IBI', 0x7fffffff, 4, 0))
time.sleep(5)
