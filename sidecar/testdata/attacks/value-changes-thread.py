# tries: return what a thread changes while it is encoded
# status: ok|error|killed|memory_limit|timeout
# timeout: 2s
print('HELD', flush=True)
x = {str(i): [i, {'a': b'x'}] for i in range(5000)}
def change():
    i = 0
    while True:
        i += 1
        x[f'n{i % 50}'] = i
        x.pop(f'n{(i * 7) % 50}', None)
threading.Thread(target=change, daemon=True).start()
x
