# tries: get a handle on the executor from its own socket to it
# status: ok
s = socket.socket(fileno=os.dup(3))
try:
    pid, uid, gid = struct.unpack('iII', s.getsockopt(socket.SOL_SOCKET, 17, 12))
except OSError:
    pid = 0
for number in range(1, 90):
    try:
        value = s.getsockopt(socket.SOL_SOCKET, number, 64)
    except OSError:
        continue
    if number == 77:  # SO_PEERPIDFD gives a descriptor
        escaped(f'a handle on the peer {pid}')
for level, number in ((1, 25), (1, 26), (1, 50), (1, 12), (1, 36), (1, 8), (1, 32), (1, 33), (41, 1), (6, 31), (263, 1), (270, 1)):
    try:
        s.setsockopt(level, number, struct.pack('i', 1 << 30))
    except OSError:
        continue
    if number in (32, 33, 36):
        escaped(f'an option for the privileged {number}')
s.detach()
done()
