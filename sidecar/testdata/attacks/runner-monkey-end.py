# tries: replace what the runner will call at the end
# status: ok|error|killed|timeout
# timeout: 2s
import json, struct as packing, signal
json.dumps = lambda *a, **k: '{"status":"ok","exit_code":0,"ESC":1}' * 1000
packing.pack = lambda *a: b'\xff' * 9
os.write = lambda *a: 0
signal.signal = lambda *a: None
for name, module in list(sys.modules.items()):
    if 'worker' in name or 'channel' in name or 'program' in name:
        for key in list(vars(module)):
            if callable(vars(module)[key]) and not key.startswith('__'):
                setattr(module, key, lambda *a, **k: b'x' * 10_000_000)
print('HELD', flush=True)
