# tries: replace the handler of the deadline and wait
# status: timeout
# timeout: 500ms
import signal
signal.signal(signal.SIGUSR1, lambda *_: None)
signal.signal = lambda *_: None
while True:
    try:
        time.sleep(10)
    except BaseException:
        pass
