# tries: find the runner's channel and confinement, and use them
# status: ok|error|killed|timeout
# timeout: 1s
import gc
print('HELD', flush=True)
for o in gc.get_objects():
    name = type(o).__name__
    if name in ('_Server', 'WorkerConfinement', 'Filter'):
        for act in ('serve', 'confine', 'install'):
            try:
                getattr(o, act)()
                if act == 'confine':
                    escaped('confined anew')
            except Exception:
                pass
