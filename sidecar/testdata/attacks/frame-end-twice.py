# tries: end well and then badly
# status: ok
m = b'{"status":"ok","exit_code":0}'
end = struct.pack('<IBII', 6 + len(m), 4, 0, len(m)) + m + b'42'
done()
os.write(3, end + end + b'\xff' * 1000)
time.sleep(5)
