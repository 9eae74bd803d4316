# Tries unix sockets, by path and abstract: docker's, the doctor's, one of its own.
def connect(address):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
        s.settimeout(1)
        s.connect(address)
        return address


def listen():
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
        s.bind("own.sock")
        s.listen()
        return "own.sock"


attempt("the doctor's socket", connect, target["unix"])
attempt("the doctor's abstract socket", connect, "\0" + target["abstract"])
attempt("docker", connect, "/var/run/docker.sock")
attempt("listen", listen)
verdict()
