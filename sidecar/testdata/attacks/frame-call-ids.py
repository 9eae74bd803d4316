# tries: make two calls with one id
# status: killed|ok
for _ in range(2):
    os.write(3, struct.pack('<IBIH', 5, 3, 7, 1) + b'f{}')
time.sleep(0.3)
done()
