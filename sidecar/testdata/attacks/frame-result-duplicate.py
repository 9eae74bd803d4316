# tries: a final frame with the same key many times, and a status in odd spelling
# status: killed|error|ok
# timeout: 2s
print('HELD', flush=True)
head = b'{"STATUS":"cancelled","status":"rejected","Status":"ok","status":"ok","exit_code":-2147483648}'
os.write(3, struct.pack('<IBI', 4 + len(head), 4, 0) + struct.pack('<I', len(head)) + head)
time.sleep(5)
