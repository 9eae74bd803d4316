# tries: never come out of a regular expression
# status: timeout
# timeout: 500ms
import re
re.match(r'(a+)+$', 'a' * 64 + 'b')
