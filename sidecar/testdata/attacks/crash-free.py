# tries: free what is in use
# status: killed|error|ok|timeout
# timeout: 1s
print('HELD', flush=True)
x = [1, 2, 3]
for _ in range(100):
    ctypes.pythonapi.Py_DecRef(ctypes.py_object(x))
del x
import gc
gc.collect()
