# tries: queue signals to itself that are blocked
# status: ok
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, range(34, 64))
n = 0
try:
    while n < 2_000_00:
        os.kill(os.getpid(), 40)
        n += 1
except OSError:
    pass
done()
