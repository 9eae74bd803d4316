# tries: write without end on both streams at once, past Python
# status: output_limit
def flood(fd):
    while True:
        os.write(fd, b'\0' * 65536)
threading.Thread(target=flood, args=(2,), daemon=True).start()
flood(1)
