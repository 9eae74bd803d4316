# tries: compute without end and catch everything
# status: timeout
# timeout: 500ms
import signal
while True:
    try:
        signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
        while True:
            pass
    except BaseException:
        pass
