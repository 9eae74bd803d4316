# tries: end its main thread only
# status: timeout|killed|error
# timeout: 700ms
threading.Thread(target=time.sleep, args=(100,), daemon=True).start()
syscall(60 if AMD64 else 93, 0)
