# tries: change built-in names for the next execution
# status: ok|error|timeout|killed
# timeout: 1s
import builtins, json
builtins.poison = json.poison = os.poison = sys.poison = 1
builtins.len = lambda *_: 666
builtins.print, keep = (lambda *_, **__: None), print
builtins.open = None
json.dumps = json.loads = lambda *_, **__: '"poison"'
os.listdir = lambda *_: []
builtins.__import__ = None
builtins.Exception = None
keep('HELD', flush=True)
