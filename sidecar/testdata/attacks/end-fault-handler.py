# tries: crash with a handler that writes where it is told
# status: killed|error
# timeout: 2s
import faulthandler
faulthandler.enable(open('/dev/null', 'w'))
faulthandler.dump_traceback_later(0.1, exit=True)
time.sleep(5)
