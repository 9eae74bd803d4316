# tries: keep its signal handlers busy and ignore the one for the deadline
# status: timeout
# timeout: 500ms
import signal
for number in set(range(1, 65)) - {9, 19, 32, 33}:
    try:
        signal.signal(number, lambda *_: None)
    except (OSError, ValueError):
        pass
signal.setitimer(signal.ITIMER_REAL, 0.0001, 0.0001)
while True:
    pass
