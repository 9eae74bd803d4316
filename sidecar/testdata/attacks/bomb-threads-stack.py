# tries: threads with stacks that are as large as they get
# timeout: 2s
# status: ok|memory_limit|timeout
# CPython waits without end for a thread that has no memory to begin with, which happens
# where one stack takes nearly all of it (https://github.com/python/cpython/issues/140746).
threading.stack_size(512 << 20)
held = []
try:
    for _ in range(2000):
        t = threading.Thread(target=time.sleep, args=(3,), daemon=True)
        t.start()
        held.append(t)
except (RuntimeError, MemoryError):
    pass
if len(held) > 200:
    escaped(f'{len(held)} threads')
done()
