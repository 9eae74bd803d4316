# tries: ignore every signal and wait for ever
# status: timeout
# timeout: 500ms
import signal
for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
while True:
    time.sleep(100)
