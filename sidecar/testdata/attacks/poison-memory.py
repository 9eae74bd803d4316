# tries: change pages of the interpreter that it shares with the fork server
# status: ok|killed
import gc
for o in gc.get_objects():
    if isinstance(o, dict) and '__name__' in o and o.get('__name__') in ('decimal', 'csv', 'random'):
        o['poison'] = 1
import random
random.seed(4711)
address = ctypes.addressof(ctypes.c_char.in_dll(libc, 'environ'))
done()
