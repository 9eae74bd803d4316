# Tries to make files outside the program's own directory, and to change what is there.
def make(directory):
    path = os.path.join(directory, target["name"])
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    os.close(fd)
    os.unlink(path)
    return path


own = os.path.realpath(os.getcwd())
for directory in (
    target["directory"], "/", "/etc", "/usr", "/var/tmp", "/dev", "/dev/shm", "/proc", "/sys",
    "/home", "/root", "/run", sys.prefix, os.path.dirname(os.__file__), "..",
):
    attempt(directory, make, directory)
if os.path.realpath("/tmp") != own:
    attempt("/tmp", make, "/tmp")


def append():
    with open(target["file"], "ab"):
        return target["file"]


def change_mode():
    os.chmod(target["file"], 0o666)
    return target["file"]


def change_times():
    os.utime(target["file"], (0, 0))
    return target["file"]


def rename():
    os.rename(target["file"], target["file"] + "x")
    os.rename(target["file"] + "x", target["file"])
    return target["file"]


attempt("open a file of the doctor's for writing", append)
attempt("change its mode", change_mode)
attempt("change its times", change_times)
attempt("rename it", rename)
attempt("change the host's name", lambda: socket.sethostname(socket.gethostname()) or "sethostname")
verdict()
