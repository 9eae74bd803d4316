# tries: follow the runner with trace and profile functions
# status: ok|error|timeout|killed
# timeout: 1s
print('HELD', flush=True)
def trace(frame, event, arg):
    if frame.f_code.co_filename.startswith('<codemode'):
        for name in list(frame.f_locals):
            frame.f_locals[name] = None
    return trace
sys.settrace(trace)
sys.setprofile(trace)
threading.settrace(trace)
5
