# tries: call a tool with arguments that are not JSON
# status: killed|ok
for i, data in enumerate((b'', b'{', b'[]', b'\xff', b'nul', b'{"a":1}{"a":2}', b'{"$":["bytes","!"]}', b'1e999999999')):
    os.write(3, struct.pack('<IBIH', 3 + len(data), 3, i, 1) + b'f' + data)
time.sleep(0.3)
done()
