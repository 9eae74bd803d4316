# tries: ignore, block and answer all signals while it spins in C
# status: timeout|killed
# timeout: 1s
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
for number in signal.valid_signals():
    try:
        signal.signal(number, signal.SIG_IGN)
    except OSError:
        pass
sum(range(10**12))
