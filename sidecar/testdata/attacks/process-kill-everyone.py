# tries: signal everyone, its group, its parent, and processes by negative ids
# status: ok
import signal
for pid in (-1, 0, -os.getpgrp() if os.getpgrp() else -2, os.getppid(), 1, 2, canary_pid, -canary_pid, 2**31 - 1):
    for number in (0, signal.SIGCONT, signal.SIGURG, signal.SIGSTOP, signal.SIGKILL, 64):
        try:
            os.kill(pid, number)
        except OSError:
            continue
        escaped(f'kill {pid} {number}')
fails('killpg', os.killpg, 0, 0)
for tid in range(1, 30):
    if tid != threading.get_native_id():
        refused('tkill', tid, 0)
        refused('tgkill', tid, tid, 0) if tid != os.getpid() else None
done()
