# tries: a final frame whose exit code and line are beyond any integer
# status: killed|error|ok
# timeout: 2s
print('HELD', flush=True)
head = b'{"status":"error","exit_code":99999999999999999999999999,"error":{"line":1e400,"type":"\\ud800"}}'
os.write(3, struct.pack('<IBI', 4 + len(head), 4, 0) + struct.pack('<I', len(head)) + head)
time.sleep(5)
