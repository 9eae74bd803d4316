# Tries to go on after its run is over: threads and processes that ignore every signal.
# The doctor looks for processes of the name that they take.
import ctypes
import signal
import threading
import time


def take_name():
    libc().prctl(15, ctypes.c_char_p(target["process"].encode()), 0, 0, 0)


def stay():
    take_name()
    end = time.monotonic() + 5  # for a machine without a sandbox
    while time.monotonic() < end:
        time.sleep(0.01)


def detached():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            stay()
        os._exit(0)
    os.wait()
    return "a process of its own"


for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD}:
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
attempt("a detached process", detached)
take_name()
threading.Thread(target=stay, daemon=True).start()
sys.stdout.flush()
tools.look()
verdict()
