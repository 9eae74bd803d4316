# Tries to read the environments, command lines and memory of other processes in /proc.
def read(path):
    with open(path, "rb") as f:
        return f.read(64) or None


def others():
    own = str(os.getpid())
    return [p for p in os.listdir("/proc") if p.isdigit() and p != own] or None


def memory():
    with open(f"/proc/{target['pid']}/mem", "rb") as f:
        f.seek(target["address"])
        return f.read(target["length"])


attempt("list processes", others)
attempt("/proc/1/environ", read, "/proc/1/environ")
for name in "environ", "cmdline", "maps":
    attempt(f"{name} of the executor", read, f"/proc/{target['pid']}/{name}")
attempt("environ of the fork server", read, f"/proc/{os.getppid()}/environ")
attempt("memory of the executor", memory)
attempt("descriptors of the executor", os.listdir, f"/proc/{target['pid']}/fd")
verdict()
