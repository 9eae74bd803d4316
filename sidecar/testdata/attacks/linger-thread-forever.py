# tries: never end, by a thread that is waited for
# status: timeout
# timeout: 500ms
threading.Thread(target=lambda: [time.sleep(0.01) for _ in iter(int, 1)]).start()
done()
