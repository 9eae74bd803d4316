# tries: hand over a directory of its choice
# status: killed
here = os.open('/', os.O_RDONLY) if own_root else os.open('.', os.O_RDONLY)
try:
    socket.send_fds(socket.socket(fileno=os.dup(3)), [struct.pack('<IBI', 0, 5, 0)], [here])
except OSError:
    os.write(3, struct.pack('<IBI', 0, 5, 0))
time.sleep(5)
