# tries: announce a frame of 4 GiB
# status: killed
os.write(3, struct.pack('<IBI', 0xffffffff, 3, 1))
time.sleep(5)
