# tries: grow the stacks of threads
# status: killed|error|ok|memory_limit|timeout
# timeout: 1s
# memory: 64
threading.stack_size(64 << 20)
def deep(n):
    return ctypes.create_string_buffer(1 << 16) and deep(n + 1)
sys.setrecursionlimit(1 << 30)
threads = [threading.Thread(target=deep, args=(0,), daemon=True) for _ in range(8)]
for t in threads:
    try:
        t.start()
    except (RuntimeError, MemoryError):
        pass
time.sleep(0.5)
print('HELD', flush=True)
