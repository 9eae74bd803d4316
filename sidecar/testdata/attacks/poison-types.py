# tries: change built-in types past Python's own protection
# status: ok|killed|error
import gc
for kind in (str, int, dict, list, object, type(None)):
    names = gc.get_referents(kind.__dict__)[0]
    names['poison'] = 1
ctypes.pythonapi.PyType_Modified.argtypes = [ctypes.py_object]
for kind in (str, int, dict, list, object):
    ctypes.pythonapi.PyType_Modified(kind)
small = ctypes.cast(id(7), ctypes.POINTER(ctypes.c_uint32))
size = int.__basicsize__ // 4
small[size] = 8
print('HELD', flush=True)
