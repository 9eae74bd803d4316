# tries: flood both outputs from many threads, with a result at the same time
# status: output_limit
def flood(fd):
    block = bytes(range(256)) * 256
    while True:
        os.write(fd, block)
for fd in (1, 2) * 4:
    threading.Thread(target=flood, args=(fd,), daemon=True).start()
time.sleep(9)
