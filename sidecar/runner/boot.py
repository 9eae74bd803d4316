# What the interpreter is started with. The rest of the runner and the plan arrive on
# descriptor 3, as one message after another: modules first, the plan last.
import gc, json, os, socket, sys, types

# The fork server collects what little garbage imports leave, once.
gc.disable()

# What modules ask to be called in a forked child; see forking.py.
registered = []


def register(*, before=None, after_in_child=None, after_in_parent=None, _own=os.register_at_fork):
    _own(**{name: call for name, call in locals().items() if name != "_own" and call is not None})
    if after_in_child is not None:
        registered.append(after_in_child)


os.register_at_fork = register

control = socket.socket(fileno=3)
package = types.ModuleType("codemode_runner")
package.__path__ = []
sys.modules["codemode_runner"] = package
while True:
    message = control.recv(1 << 20)
    if not message:
        raise SystemExit("the executor is gone")
    name, _, body = message.partition(b"\n")
    if name == b"plan":
        plan = json.loads(body)
        break
    module = types.ModuleType("codemode_runner." + name.decode())
    module.__package__ = "codemode_runner"
    sys.modules[module.__name__] = module
    setattr(package, name.decode(), module)
    exec(compile(body, f"<codemode {name.decode()}>", "exec"), module.__dict__)
from codemode_runner import forkserver

forkserver.main(control, plan, registered)
