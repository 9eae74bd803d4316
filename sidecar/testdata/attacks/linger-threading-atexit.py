# tries: go on in what threading calls at the end
# status: timeout
# timeout: 500ms
threading._register_atexit(time.sleep, 1000)
done()
