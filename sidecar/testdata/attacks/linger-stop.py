# tries: stop itself, so that nothing it is sent is seen
# status: timeout
# timeout: 500ms
import signal
os.kill(os.getpid(), signal.SIGSTOP)
