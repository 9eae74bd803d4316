# tries: end itself by every signal in turn
# status: killed
import signal
for number in (signal.SIGQUIT, signal.SIGILL, signal.SIGSYS):
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
