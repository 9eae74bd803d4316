# tries: say that it is done, and go on
# status: ok|killed|error|timeout
# timeout: 2s
print('HELD', flush=True)
head = b'{"status": "ok", "exit_code": 0}'
os.write(3, struct.pack('<IBI', 4 + len(head) + 1, 4, 0) + struct.pack('<I', len(head)) + head + b'1')
while True:
    open('f', 'a').write('x' * 1000)
