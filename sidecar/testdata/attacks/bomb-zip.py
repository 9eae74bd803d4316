# tries: unpack a little into a lot
# status: memory_limit|error
# memory: 64
# timeout: 10s
import zlib
data = b'\0' * (1 << 24)
packed = zlib.compress(zlib.compress(data * 4))
parts = []
while True:
    parts.append(zlib.decompress(zlib.decompress(packed)))
