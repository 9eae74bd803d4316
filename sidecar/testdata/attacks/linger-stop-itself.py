# tries: stop itself, so that nobody can end it politely
# status: timeout|killed|error
# timeout: 1s
import signal
os.kill(os.getpid(), signal.SIGSTOP)
