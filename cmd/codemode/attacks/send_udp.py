# Tries UDP, raw and packet sockets: a name server is a way out for data.
def send(address):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        return s.sendto(b"canary", address)


def make(family, kind, protocol=0):
    with socket.socket(family, kind, protocol) as s:
        return s


attempt("send to this machine", send, ("127.0.0.1", target["udp"]))
attempt("send to a name server", send, ("8.8.8.8", 53))
attempt("a UDP socket", make, socket.AF_INET, socket.SOCK_DGRAM)
attempt("an ICMP socket", make, socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)
attempt("a raw socket", make, socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
attempt("a packet socket", make, socket.AF_PACKET, socket.SOCK_RAW)
verdict()
