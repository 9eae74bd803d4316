# tries: a pattern that backtracks forever, in a thread beside one that sleeps
# status: timeout
# timeout: 1s
import re
threading.Thread(target=lambda: re.match('(a|a)*$', 'a' * 60 + 'b'), daemon=True).start()
re.match('(a+)+$', 'a' * 60 + 'b')
