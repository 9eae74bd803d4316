# tries: trace the runner after the end of the program
# status: ok|error|killed|timeout
# timeout: 2s
def trace(frame, event, arg):
    frame.f_trace_opcodes = True
    if frame.f_code.co_name in ('_done', '_encode', 'send'):
        for key in list(frame.f_locals):
            try:
                frame.f_locals[key] = b'\xff' * 1000
            except Exception:
                pass
    return trace
print('HELD', flush=True)
sys.settrace(trace)
threading.settrace(trace)
sys._getframe().f_trace = trace
frame = sys._getframe()
while frame:
    frame.f_trace = trace
    frame = frame.f_back
