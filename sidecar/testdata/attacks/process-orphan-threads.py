# tries: let threads of its own go on when the main one is gone
# status: error|killed|timeout
# timeout: 2s
def loop():
    while True:
        try:
            os.write(1, b'.')
        except OSError:
            pass
        time.sleep(0.05)
for _ in range(8):
    threading.Thread(target=loop, daemon=True).start()
syscall(60 if AMD64 else 93, 0)  # exit, of this thread alone
