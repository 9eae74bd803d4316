# tries: start threads without end
# status: killed|memory_limit|timeout|ok|error
# timeout: 700ms
# alone: it takes the threads of all
threads = 0
try:
    while True:
        threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
        threads += 1
except RuntimeError:
    pass
if threads > 4096:
    escaped(f'{threads} threads')
print('HELD', flush=True)
time.sleep(1000)
