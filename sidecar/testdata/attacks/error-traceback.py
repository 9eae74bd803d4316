# tries: raise with a traceback of its own making
# status: error
import types
try:
    1 / 0
except ZeroDivisionError as e:
    tb = e.__traceback__
for i in range(5000):
    tb = types.TracebackType(tb, tb.tb_frame, 10 ** 6, -5)
raise ValueError('x').with_traceback(tb)
