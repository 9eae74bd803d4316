# Tries to leave something for the next run, and to find what the run before it left.
# The doctor runs it twice.
places = [".", "..", "/tmp", "/var/tmp", "/dev/shm", "/sandbox", target["directory"]]


def find(directory):
    path = os.path.join(directory, target["name"])
    return path if os.path.exists(path) else None


def leave(directory):
    with open(os.path.join(directory, target["name"]), "w") as f:
        f.write("canary")


for directory in places:
    attempt(f"a file in {directory}", find, directory)
attempt("a module", lambda: getattr(os, "canary", None))
attempt("a builtin", lambda: getattr(__builtins__, "canary", None))
for directory in places:
    try:
        leave(directory)
    except OSError:
        pass
os.canary = "left behind"
try:
    __builtins__.canary = "left behind"
except AttributeError:
    pass
verdict()
