# tries: write frames from many threads at once, so that they mix
# status: ok|killed|error|timeout
# timeout: 2s
def write():
    for n in range(300):
        os.write(3, struct.pack('<IBI', 5, 3, n) + b'\1\0f{}')
threads = [threading.Thread(target=write) for _ in range(8)]
for t in threads:
    t.start()
for t in threads:
    t.join()
done()
