# Tries the kinds of sockets that are easily forgotten: netlink, vsock, AF_ALG and more.
def make(family, kind, protocol=0):
    with socket.socket(family, kind, protocol) as s:
        return s


attempt("netlink route", make, socket.AF_NETLINK, socket.SOCK_RAW, 0)
attempt("netlink audit", make, socket.AF_NETLINK, socket.SOCK_RAW, 9)
attempt("vsock", make, 40, socket.SOCK_STREAM)
attempt("AF_ALG", make, 38, socket.SOCK_SEQPACKET)
attempt("AF_KEY", make, 15, socket.SOCK_RAW, 2)
attempt("bluetooth", make, 31, socket.SOCK_RAW, 1)
attempt("AF_XDP", make, 44, socket.SOCK_RAW)
attempt("a pair that is not unix", socket.socketpair, socket.AF_INET, socket.SOCK_STREAM)
verdict()
