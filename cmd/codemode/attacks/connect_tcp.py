# Tries TCP: to the doctor's listener, to the internet, and to listen itself.
def connect(family, address):
    with socket.socket(family, socket.SOCK_STREAM) as s:
        s.settimeout(1)
        s.connect(address)
        return address


def listen():
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        return s.getsockname()


attempt("connect to this machine", connect, socket.AF_INET, ("127.0.0.1", target["tcp"]))
attempt("connect to the internet", connect, socket.AF_INET, ("1.1.1.1", 443))
attempt("connect by IPv6", connect, socket.AF_INET6, ("::1", target["tcp"]))
attempt("listen", listen)
attempt("look up a name", socket.getaddrinfo, "example.com", 443)
verdict()
