# Tries to read files of the host: passwords, accounts, homes, doctor's own.
def read(path):
    with open(path, "rb") as f:
        return f.read(64) or "empty"


def listing(path):
    return os.listdir(path) or None


attempt("/etc/shadow", read, "/etc/shadow")
attempt("/etc/passwd", read, "/etc/passwd")
attempt("a file of the doctor's", read, target["file"])
attempt("the same by a relative path", read, "../" * 30 + target["file"].lstrip("/"))


def by_link():
    os.symlink(target["file"], "link")
    return read("link")


attempt("the same by a symbolic link", by_link)


def by_hard_link():
    os.link(target["file"], "hard")
    return read("hard")


attempt("the same by a hard link", by_hard_link)
attempt("list /root", listing, "/root")
attempt("list /home", listing, "/home")
attempt("list the doctor's directory", listing, target["directory"])
attempt("/dev/mem", read, "/dev/mem")
attempt("/proc/kcore", read, "/proc/kcore")
verdict()
