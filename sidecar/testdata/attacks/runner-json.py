# tries: replace what the runner encodes its end with
# status: ok|error|killed|timeout
# timeout: 1s
import json, json.encoder
print('HELD', flush=True)
json.dumps = lambda *_, **__: '{"status":"ok"}' * 10 ** 5
json.JSONEncoder.encode = json.encoder.JSONEncoder.iterencode = lambda *_: 5
struct.pack = lambda *_: b''
1
