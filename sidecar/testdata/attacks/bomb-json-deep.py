# tries: texts that nest beyond any stack
# status: ok|error|memory_limit|killed
import json, pickle
for text in ('[' * 5_000_000, '{"a":' * 1_000_000):
    try:
        json.loads(text)
    except (RecursionError, ValueError, MemoryError):
        pass
try:
    pickle.loads(b'(' * 1_000_000 + b'.')
except Exception:
    pass
done()
