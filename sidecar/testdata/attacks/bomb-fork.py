# tries: fork without end, whatever the answer
# status: timeout
# timeout: 500ms
def forever():
    while True:
        for call in (os.fork, lambda: syscall('vfork'), lambda: syscall('clone', 17, 0, 0, 0, 0)):
            try:
                call()
                escaped('forked')
            except OSError:
                pass


forever()
