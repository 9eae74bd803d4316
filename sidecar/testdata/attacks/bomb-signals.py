# tries: queue signals to itself without end
# status: ok
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGRTMIN + 2])
try:
    for i in range(20000):
        os.kill(os.getpid(), signal.SIGRTMIN + 2)
except OSError:
    pass
done()
