# tries: use the kernel's keyrings, which outlive processes
# status: ok
for ring in (-1, -2, -3, -4, -5):
    refused('add_key', b'user', b'codemode', b'x', 1, ring)
    refused('keyctl', 0, ring, 1)
refused('keyctl', 1, b'codemode')
refused('keyctl', 22, -1, 0)
refused('request_key', b'user', b'codemode', 0, 0)
done()
