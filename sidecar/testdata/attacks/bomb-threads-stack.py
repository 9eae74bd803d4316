# tries: threads with stacks that are as large as they get
# timeout: 5s
# status: ok|memory_limit|killed|error|timeout
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
