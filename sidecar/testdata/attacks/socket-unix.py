# tries: connect to unix sockets, by path and by abstract name
# status: ok
for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
    for name in (canary_socket, '\0' + canary_abstract, '/var/run/docker.sock', '/run/systemd/notify', '/dev/log'):
        fails(name, lambda: socket.socket(socket.AF_UNIX, kind).connect(name))
done()
