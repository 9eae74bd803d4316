# tries: send itself the signal for the deadline
# status: timeout|error|killed
import signal
os.kill(os.getpid(), signal.SIGUSR1)
time.sleep(1)
