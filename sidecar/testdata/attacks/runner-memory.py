# tries: write over the runner's objects in memory
# status: ok|error|killed|timeout
# timeout: 1s
print('HELD', flush=True)
import gc
for o in gc.get_objects():
    if isinstance(o, dict) and o.get('__name__', '') == 'codemode_runner.channel':
        for name in list(o):
            if name.isupper():
                o[name] = 255
