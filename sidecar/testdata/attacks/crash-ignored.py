# tries: ignore its own crash
# status: killed
import signal
signal.signal(signal.SIGSEGV, signal.SIG_IGN)
ctypes.memset(1, 1, 1)
