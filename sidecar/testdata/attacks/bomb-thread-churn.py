# tries: start and end threads as fast as it can
# status: timeout|killed|error
# timeout: 700ms
while True:
    t = threading.Thread(target=lambda: None)
    t.start()
