# tries: send descriptors to the executor
# status: ok|killed
s = socket.socket(fileno=os.dup(3))
m = struct.pack('<IBIH', 5, 3, 1, 1) + b'f{}'
fds = [os.open('/dev/null', os.O_RDONLY) for _ in range(100)]
try:
    for i in range(20):
        socket.send_fds(s, [struct.pack('<IBIH', 5, 3, i, 1) + b'f{}'], fds)
except OSError:
    pass
time.sleep(0.1)
done()
